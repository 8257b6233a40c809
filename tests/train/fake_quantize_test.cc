#include "train/fake_quantize.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones_like.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/random.h"

namespace qat {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

at::Tensor Tensor(const std::vector<float>& values) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(values.size())}, at::kFloat);
  std::copy(values.begin(), values.end(), tensor.data_ptr<float>());
  return tensor;
}

std::vector<float> Values(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

// Gradient of the sum of the output.
std::vector<float> GradientOf(const std::vector<float>& at, Range bounds, const std::optional<Grid>& grid) {
  at::Tensor x = Tensor(at);
  x.set_requires_grad(true);
  const at::Tensor y = ClampAndFakeQuantize(x, bounds, grid);
  y.backward(at::ones_like(y));
  return Values(x.grad());
}

// Published values of FakeQuantWithMinMaxVars: range -> nudged range and scale.
struct NudgeGolden {
  Range range;
  bool narrow;
  float nudged_min, nudged_max, scale;
};

class NudgedRange : public ::testing::TestWithParam<NudgeGolden> {};

TEST_P(NudgedRange, IsWhatTensorFlowSaturatesTo) {
  const NudgeGolden& golden = GetParam();
  const QuantizedLimits limits = golden.narrow ? kUInt8NarrowLimits : kUInt8Limits;
  const Grid grid = {NudgedParams(golden.range, limits), limits};
  const std::vector<float> ends = Values(FakeQuantize(Tensor({-1e6f, 1e6f, golden.scale}), grid));
  EXPECT_FLOAT_EQ(ends[0], golden.nudged_min);
  EXPECT_FLOAT_EQ(ends[1], golden.nudged_max);
  EXPECT_FLOAT_EQ(ends[2], golden.scale) << "one step above 0 is on the grid";
}

INSTANTIATE_TEST_SUITE_P(
    Goldens, NudgedRange,
    ::testing::Values(NudgeGolden{{-1, 1}, false, -0.996078491f, 1.00392163f, 0.00784313772f},
                      NudgeGolden{{0, 6}, false, 0, 6, 0.0235294122f},
                      NudgeGolden{{-.37f, .81f}, true, -0.371653557f, 0.80834645f, 0.00464566937f},
                      NudgeGolden{{-6, 6}, false, -6.02352953f, 5.97647047f, 0.0470588244f},
                      NudgeGolden{{-.1f, 6.2f}, false, -0.098823525f, 6.20117617f, 0.0247058813f}));

TEST(FakeQuantize, EqualsTheDeployedValueBitByBit) {
  Random random(7);
  for (int round = 0; round < 40; ++round) {
    const Range range = {-4 * random.Uniform(), 4 * random.Uniform() + 0.01f};
    const QuantizedLimits limits = round % 2 == 0 ? kUInt8Limits : kUInt8NarrowLimits;
    const Grid grid = {NudgedParams(range, limits), limits};
    std::vector<float> x;
    for (int i = 0; i < 1000; ++i) x.push_back(10 * random.Uniform() - 5);
    const std::vector<float> y = Values(FakeQuantize(Tensor(x), grid));
    for (size_t i = 0; i < x.size(); ++i) {
      ASSERT_EQ(y[i], Dequantize(QuantizeFakeQuant(x[i], grid.params, limits), grid.params)) << x[i];
    }
  }
}

TEST(FakeQuantize, RoundsTiesUpInTheShiftedDomain) {
  const Grid grid = {{1.0f, 10}, kUInt8Limits};
  EXPECT_EQ(Values(FakeQuantize(Tensor({0.5f, -0.5f, 1.5f, -1.5f, 0.49f}), grid)),
            (std::vector<float>{1, 0, 2, -1, 0}));
}

TEST(FakeQuantize, PassesTheGradientInsideTheNudgedRangeWithBothEnds) {
  const Grid grid = {{0.5f, 10}, kUInt8Limits};  // nudged range [-5, 122.5]
  const float below = std::nextafter(-5.0f, -kInfinity);
  const float above = std::nextafter(122.5f, kInfinity);
  EXPECT_EQ(GradientOf({-5.0f, below, 122.5f, above, 0, 3.3f}, {-kInfinity, kInfinity}, grid),
            (std::vector<float>{1, 0, 1, 0, 1, 1}));
}

TEST(ClampAndFakeQuantize, ReluStopsTheGradientAtZeroAndBelow) {
  const Grid grid = {{0.5f, 10}, kUInt8Limits};
  EXPECT_EQ(GradientOf({-1, 0, 0.1f, 200}, {0, kInfinity}, grid), (std::vector<float>{0, 0, 1, 0}));
  EXPECT_EQ(GradientOf({-1, 0, 0.1f, 200}, {0, kInfinity}, std::nullopt), (std::vector<float>{0, 0, 1, 1}));
}

TEST(ClampAndFakeQuantize, Relu6StopsItAtBothEnds) {
  EXPECT_EQ(GradientOf({0, 3, 6, 7}, {0, 6}, std::nullopt), (std::vector<float>{0, 1, 0, 0}));
  EXPECT_EQ(Values(ClampAndFakeQuantize(Tensor({-1, 3, 7}), {0, 6}, std::nullopt)),
            (std::vector<float>{0, 3, 6}));
}

TEST(ClampAndFakeQuantize, LeavesTheTensorAloneWithoutActivationAndGrid) {
  const at::Tensor x = Tensor({1, 2});
  EXPECT_TRUE(ClampAndFakeQuantize(x, {-kInfinity, kInfinity}, std::nullopt).is_same(x));
}

// Values and gradients lie in the layouts that the operators around it like, each in its own.
TEST(ClampAndFakeQuantize, IsTheSameInEveryLayout) {
  Random random(7);
  at::Tensor plain = at::empty({2, 3, 4, 5}, at::kFloat);
  at::Tensor given = at::empty_like(plain);
  for (int64_t i = 0; i < plain.numel(); ++i) {
    plain.data_ptr<float>()[i] = static_cast<float>(random.Uniform() * 8 - 1);
    given.data_ptr<float>()[i] = static_cast<float>(random.Uniform());
  }
  const Grid grid = {NudgedParams({-0.5f, 4}, kUInt8Limits), kUInt8Limits};
  const auto run = [&](at::MemoryFormat values, at::MemoryFormat gradients) {
    at::Tensor x = plain.clone(values).set_requires_grad(true);
    const at::Tensor y = ClampAndFakeQuantize(x, {0, kInfinity}, grid);
    EXPECT_TRUE(y.is_contiguous(values));
    y.backward(given.clone(gradients));
    return std::pair(Values(y), Values(x.grad()));
  };
  constexpr auto kPlain = at::MemoryFormat::Contiguous;
  constexpr auto kLast = at::MemoryFormat::ChannelsLast;
  const auto expected = run(kPlain, kPlain);
  EXPECT_EQ(run(kLast, kLast), expected);
  EXPECT_EQ(run(kLast, kPlain), expected);
  EXPECT_EQ(run(kPlain, kLast), expected);
}

TEST(ClampAndFakeQuantize, LetsNothingThatIsNotFiniteDisappear) {
  const Grid grid = {{0.5f, 10}, kUInt8Limits};
  for (const float value :
       Values(ClampAndFakeQuantize(Tensor({NAN, kInfinity, -kInfinity}), {0, kInfinity}, grid))) {
    EXPECT_TRUE(std::isnan(value));
  }
  EXPECT_TRUE(std::isnan(Values(ClampAndFakeQuantize(Tensor({NAN}), {0, kInfinity}, std::nullopt))[0]));
}

TEST(MeasureRange, FindsTheEndsWhereverTheyLie) {
  for (const int64_t size : {1, 15, 16, 17, 100, 100000}) {
    for (const int64_t at : {int64_t{0}, size / 2, size - 1}) {
      at::Tensor x = at::full({size}, 0.5f);
      x.data_ptr<float>()[at] = 9;
      EXPECT_EQ(MeasureRange(x).range.max, 9);
      x.data_ptr<float>()[at] = -9;
      EXPECT_EQ(MeasureRange(x).range.min, -9);
      EXPECT_TRUE(MeasureRange(x).finite);
      x.data_ptr<float>()[at] = NAN;
      EXPECT_FALSE(MeasureRange(x).finite) << size << " " << at;
    }
  }
}

}  // namespace
}  // namespace qat
