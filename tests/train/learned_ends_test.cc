#include "train/learned_ends.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/round.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/random.h"
#include "train/tensor_quantizer.h"
#include "train/tensor_span.h"

namespace qat {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr Range kOpen = {-kInfinity, kInfinity}, kRelu = {0, kInfinity};
const Precision kBytes = PrecisionsOf(Scheme::kUInt8).activations;

at::Tensor Random4(std::vector<int64_t> sizes, uint64_t seed) {
  at::Tensor values = at::empty(sizes, at::kFloat);
  Random random(seed);
  for (float& value : SpanOf(values))
    value = static_cast<float>(random.Between(-1500000, 2500000)) / 999983;  // no ties
  return values;
}

at::Tensor Leaf(const at::Tensor& values) { return values.detach().clone().set_requires_grad(true); }

at::Tensor EndsOf(Range range) {
  at::Tensor ends = at::empty({2}, at::kFloat);
  SpanOf(ends)[0] = range.min;
  SpanOf(ends)[1] = range.max;
  return ends;
}

struct Case {
  const char* name;
  Range bounds, ends;
};

class LearnedEndsGradient : public ::testing::TestWithParam<Case> {};

// Scale and offset as operators of LibTorch on double, differentiated by it: round passes gradients, the
// integers are those between the two ends, whose zero point is whole.
TEST_P(LearnedEndsGradient, IsThatOfTheTextbookTimesItsScale) {
  const Case& each = GetParam();
  const at::Tensor values = Random4({3, 4, 5, 2}, 7), of_output = Random4({3, 4, 5, 2}, 8);
  const QuantizedLimits limits = LimitsOf(kBytes);
  const QuantizationParams params = NudgedParams(each.ends, limits);
  ASSERT_NEAR(params.scale * static_cast<float>(-params.zero_point), each.ends.min, 1e-6)
      << "nothing is nudged";

  const at::Tensor x = Leaf(values), ends = Leaf(EndsOf(each.ends));
  const at::Tensor v = ClampAndFakeQuantizeLearned(x, ends, each.bounds, {params, limits});
  v.backward(of_output);

  const at::Tensor same_x = Leaf(values.to(at::kDouble)), same_ends = Leaf(EndsOf(each.ends).to(at::kDouble));
  const at::Tensor low = same_ends[0], high = same_ends[1], s = (high - low) / 255.0;
  const at::Tensor c = at::clamp(same_x, double{each.bounds.min}, double{each.bounds.max});
  const at::Tensor integers = c / s, steps = integers + (at::round(integers) - integers).detach();
  const at::Tensor inside = (c >= low).logical_and(c <= high).detach().to(at::kDouble);
  const at::Tensor above = (c > high).detach().to(at::kDouble), below = (c < low).detach().to(at::kDouble);
  // Inside, the step is a factor of both: x / s is a constant to the ends where x passes its gradient.
  const at::Tensor rounded = c + (steps.detach() - integers.detach()) * s;
  const at::Tensor expected = inside * rounded + above * high + below * low;
  expected.backward(of_output.to(at::kDouble));

  EXPECT_LT((v.to(at::kDouble) - expected).abs().max().item<double>(), 1e-5);
  EXPECT_LT((x.grad().to(at::kDouble) - same_x.grad()).abs().max().item<double>(), 1e-6);
  const double scale = 255.0 * 255.0 / std::sqrt(40.0 * 255.0);
  const at::Tensor wanted = same_ends.grad() * scale;
  for (int end = 0; end < 2; ++end) {
    const float learned = end == 0 ? each.ends.min : each.ends.max;
    const double want = learned == 0 ? 0 : wanted[end].item<double>();
    EXPECT_NEAR(SpanOf(ends.grad())[static_cast<size_t>(end)], want, 1e-4 * std::abs(want) + 1e-3) << end;
    EXPECT_TRUE(learned == 0 || std::abs(want) > 1e-2) << "shows nothing";
  }
}

INSTANTIATE_TEST_SUITE_P(Ranges, LearnedEndsGradient,
                         ::testing::Values(Case{"open", kOpen, {-1.0f, 1.55f}},
                                           Case{"wide", kOpen, {-2.0f, 3.1f}},
                                           Case{"relu", kRelu, {0, 2.04f}}, Case{"relu6", {0, 6}, {0, 1.02f}},
                                           Case{"negative", {-kInfinity, 0}, {-1.02f, 0}}),
                         [](const auto& each) { return each.param.name; });

TEST(ClampAndFakeQuantizeLearned, RoundsAsObservedRangesDo) {
  const at::Tensor values = Random4({2, 3, 50, 50}, 3);
  const Grid grid = {NudgedParams({-0.7f, 1.9f}, LimitsOf(kBytes)), LimitsOf(kBytes)};
  const at::Tensor learned = ClampAndFakeQuantizeLearned(values, EndsOf({-0.7f, 1.9f}), kRelu, grid);
  EXPECT_TRUE(learned.equal(ClampAndFakeQuantize(values, kRelu, grid)));
}

constexpr ForwardContext kLearning = {.training = true, .observe = true, .fake_quantize = true};

class LearnedEndsTest : public ::testing::Test {
 protected:
  std::shared_ptr<SharedRange> range_ = std::make_shared<SharedRange>(kBytes);
  RangeObserver first_{0.9}, second_{0.9};
  LearnedEnds learned_{"add", range_};
  std::span<float> ends_ = SpanOf(learned_.ends());

  void SetUp() override {
    range_->Add(&first_);
    range_->Add(&second_);
  }
};

TEST_F(LearnedEndsTest, StartWithTheUnionOnceAllOfTheGroupIsObserved) {
  EXPECT_EQ(learned_.parameter().name, "add/range");
  first_.Observe({-1, 2});
  learned_.Settle(kLearning);
  EXPECT_FALSE(learned_.started()) << "the other has seen nothing";
  second_.Observe({0, 3});
  for (const ForwardContext& other : {ForwardContext{.training = true, .observe = true},
                                      ForwardContext{.observe = true, .fake_quantize = true},
                                      ForwardContext{.training = true, .fake_quantize = true}}) {
    learned_.Settle(other);
    EXPECT_FALSE(learned_.started());
  }
  learned_.Settle(kLearning);
  ASSERT_TRUE(learned_.started());
  EXPECT_EQ(range_->range(), (Range{-1, 3}));
  EXPECT_EQ(first_.range(), (Range{-1, 3}));
  EXPECT_EQ(second_.range(), (Range{-1, 3}));
}

TEST_F(LearnedEndsTest, AreWhatTheObserversHaveFromThenOn) {
  first_.Observe({-1, 2});
  second_.Observe({-1, 2});
  learned_.Settle(kLearning);
  ends_[0] = -0.5f;
  ends_[1] = 1.25f;
  learned_.Settle({.training = true, .fake_quantize = true});
  EXPECT_EQ(range_->range(), (Range{-1, 2})) << "frozen";
  learned_.Settle({.observe = true, .fake_quantize = true});
  EXPECT_EQ(range_->range(), (Range{-0.5f, 1.25f}));
}

TEST_F(LearnedEndsTest, NeverCrossZeroOrVanish) {
  first_.Observe({-1, 2});
  second_.Observe({-1, 2});
  learned_.Settle(kLearning);
  ends_[0] = 0.5f;
  ends_[1] = -0.25f;
  learned_.Hold({-0.64f, 6.4f});
  EXPECT_FLOAT_EQ(ends_[0], -0.25f / 25);
  EXPECT_FLOAT_EQ(ends_[1], 0.1f);
}

TEST(RangeQuantizer, LearnsTheEndsOfWhatItRounds) {
  auto range = std::make_shared<SharedRange>(kBytes);
  auto ends = std::make_shared<LearnedEnds>("conv", range);
  RangeQuantizer quantizer("conv", kBytes, Observed::kBatch, RangeObserver(0.5));
  quantizer.ShareRange(range, ends);
  range->Add(quantizer.observers()[0].observer);
  const at::Tensor values = Random4({2, 3, 4, 4}, 5);
  quantizer.Forward(values, kRelu, {.training = true, .observe = true});
  EXPECT_FALSE(ends->started());
  quantizer.Forward(values, kRelu, kLearning).sum().backward();
  ASSERT_TRUE(ends->started());
  ASSERT_TRUE(ends->ends().grad().defined());
  EXPECT_EQ(SpanOf(ends->ends().grad())[0], 0) << "a relu ends at 0";
  EXPECT_NE(SpanOf(ends->ends().grad())[1], 0);
  SpanOf(ends->ends())[1] = 1.0f;
  quantizer.Forward(values, kRelu, kLearning);
  EXPECT_EQ(range->range(), (Range{0, 1})) << "what was learned, however far the values reach";
  quantizer.Forward(values * 1000, kRelu, kLearning);
  EXPECT_FLOAT_EQ(range->range().max, values.max().item<float>() * 1000 / 64);
}

}  // namespace
}  // namespace qat
