#include "train/learned_quantizer.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/round.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "base/random.h"
#include "train/tensor_span.h"

namespace qat {
namespace {

const Precision kInt8PerTensor = kInt8Filters;

at::Tensor RandomFilter(std::vector<int64_t> sizes, uint64_t seed) {
  at::Tensor filter = at::empty(sizes, at::kFloat);
  Random random(seed);
  for (float& value : SpanOf(filter)) value = static_cast<float>(random.Between(-1000, 1000)) / 1000;
  return filter;
}

std::vector<float> Values(const at::Tensor& tensor) {
  const at::Tensor dense = tensor.detach().contiguous();
  return {dense.data_ptr<float>(), dense.data_ptr<float>() + dense.numel()};
}

at::Tensor Leaf(const at::Tensor& values) { return values.detach().clone().set_requires_grad(true); }

at::Tensor Row(const std::vector<float>& values) {
  at::Tensor row = at::empty({static_cast<int64_t>(values.size())}, at::kFloat);
  std::copy(values.begin(), values.end(), row.data_ptr<float>());
  return row;
}

// Equations 1 to 3 of LSQ as operators of LibTorch, differentiated by it: round passes gradients, the scale
// is r / q.
at::Tensor Textbook(const at::Tensor& x, const at::Tensor& ends, double q) {
  const at::Tensor s = ends.reshape({-1, 1, 1, 1}) / q;
  const at::Tensor clipped = at::clamp(x / s, -q, q);
  return (clipped + (at::round(clipped) - clipped).detach()) * s;
}

class LearnedGradient : public ::testing::TestWithParam<Precision> {};

TEST_P(LearnedGradient, IsThatOfTheTextbookTimesItsScale) {
  const Precision precision = GetParam();
  const at::Tensor filter = RandomFilter({3, 5, 3, 3}, 7);
  const std::vector<float> reach =
      precision.per_axis() ? std::vector<float>{0.31f, 0.77f, 0.9f} : std::vector<float>{0.63f};
  const double q = LimitsOf(precision).quant_max;
  const at::Tensor of_output = RandomFilter({3, 5, 3, 3}, 8);

  const at::Tensor x = Leaf(filter), ends = Leaf(Row(reach));
  const at::Tensor v = FakeQuantizeLearned(x, ends, reach, precision);
  v.backward(of_output);
  const at::Tensor expected_x = Leaf(filter), expected_ends = Leaf(Row(reach));
  const at::Tensor expected = Textbook(expected_x, expected_ends, q);
  expected.backward(of_output);

  EXPECT_LT((v - expected).abs().max().item<float>(), 1e-6f);
  EXPECT_LT((x.grad() - expected_x.grad()).abs().max().item<float>(), 1e-6f);
  const double count = static_cast<double>(filter.numel()) / static_cast<double>(reach.size());
  const double scale = q * q / std::sqrt(count * q);
  for (size_t c = 0; c < reach.size(); ++c) {
    const double want = scale * SpanOf(expected_ends.grad())[c];
    EXPECT_NEAR(SpanOf(ends.grad())[c], want, 1e-4 * std::abs(want) + 1e-5) << "end " << c;
  }
}

INSTANTIATE_TEST_SUITE_P(Precisions, LearnedGradient,
                         ::testing::Values(kInt4FiltersPerAxis, kInt8FiltersPerAxis, kInt8PerTensor));

TEST(FakeQuantizeLearned, TheLargestValueOfARangeThatHoldsAllGoesOnLearning) {
  const at::Tensor x = Leaf(Row({0.5f, -0.2f}).reshape({1, 2})), ends = Leaf(Row({0.5f}));
  FakeQuantizeLearned(x, ends, {0.5f}, kInt4FiltersPerAxis).sum().backward();
  EXPECT_EQ(Values(x.grad()), (std::vector<float>{1, 1}));
}

at::Tensor EndsOf(LearnedQuantizer& quantizer) { return quantizer.parameters().at(0).value; }

constexpr ForwardContext kLearning = {.training = true, .observe = true, .fake_quantize = true};

TEST(LearnedQuantizer, StartsWithTheFirstRoundingOfTheTrainingAlone) {
  LearnedQuantizer quantizer("conv/filter", kInt4FiltersPerAxis, 3);
  const at::Tensor filter = RandomFilter({3, 5, 3, 3}, 4);
  quantizer.Forward(filter, {.training = true, .observe = true});
  quantizer.Forward(filter, {.fake_quantize = true});
  quantizer.Forward(filter, {.training = true, .fake_quantize = true, .note_statistics = true});
  EXPECT_EQ(Values(EndsOf(quantizer)), (std::vector<float>{0, 0, 0}));
  quantizer.Forward(filter, {.training = true, .fake_quantize = true});
  for (const float end : Values(EndsOf(quantizer))) {
    EXPECT_GT(end, 0.5f);
    EXPECT_LE(end, 1);
  }
}

TEST(LearnedQuantizer, NoEndLeavesWhatTheValuesReachWhileRangesMove) {
  for (const Precision& precision : {kInt4FiltersPerAxis, kInt8PerTensor}) {
    LearnedQuantizer quantizer("conv/filter", precision, 1);
    const at::Tensor filter = RandomFilter({1, 5, 3, 3}, 4);
    const float largest = filter.abs().max().item<float>();
    const std::span<float> ends = SpanOf(EndsOf(quantizer));
    for (const auto& [before, after] :
         std::vector<std::pair<float, float>>{{9, largest}, {-3, largest / 64}, {0.5f, 0.5f}}) {
      ends[0] = before;
      quantizer.Forward(filter, {.training = true, .fake_quantize = true});
      EXPECT_EQ(ends[0], before) << "frozen";
      quantizer.Forward(filter, kLearning);
      EXPECT_FLOAT_EQ(ends[0], after);
    }
  }
}

// What batch normalization does to a channel does nothing to its end.
TEST(LearnedQuantizer, RoundsAScaledFilterAsItScalesTheRoundedOne) {
  LearnedQuantizer quantizer("conv/filter", kInt4FiltersPerAxis, 2);
  const at::Tensor filter = RandomFilter({2, 5, 3, 3}, 4);
  const at::Tensor factors = Row({-2.5f, 0.125f});
  const at::Tensor plain = quantizer.Forward(filter, kLearning);
  const at::Tensor scaled = quantizer.ForwardScaled(filter, factors, kLearning);
  EXPECT_EQ(Values(scaled), Values(plain * factors.reshape({2, 1, 1, 1})));
}

TEST(LearnedQuantizer, ARangeOfTheWholeFilterIsObservedAsItIsDeployed) {
  LearnedQuantizer quantizer("fc/filter", kInt8PerTensor, 2);
  EXPECT_FALSE(quantizer.ready());
  const at::Tensor filter = RandomFilter({2, 40}, 4);
  SpanOf(EndsOf(quantizer))[0] = 0.25f;
  quantizer.Forward(filter, kLearning);
  ASSERT_TRUE(quantizer.ready());
  EXPECT_EQ(quantizer.observers().at(0).observer->range(), (Range{-0.25f, 0.25f}));
  EXPECT_FLOAT_EQ(quantizer.ParamsOf(filter).at(0).scale, 0.25f / 127);
  EXPECT_TRUE(quantizer.channel_ends().empty());
}

TEST(LearnedQuantizer, AChannelOfZerosStaysFinite) {
  LearnedQuantizer quantizer("conv/filter", kInt4FiltersPerAxis, 2);
  const at::Tensor filter = RandomFilter({2, 6}, 4);
  filter[1].zero_();
  const at::Tensor x = Leaf(filter);
  const at::Tensor v = quantizer.Forward(x, kLearning);
  v.sum().backward();
  EXPECT_EQ(Values(v[1]), std::vector<float>(6, 0.0f));
  for (const float each : Values(EndsOf(quantizer).grad())) EXPECT_TRUE(std::isfinite(each));
}

}  // namespace
}  // namespace qat
