#include "quant/params.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"

namespace qat {
namespace {

// A range around 0 of any width between 2^-12 and 2^12, one-sided every fourth time.
Range AnyRange(Random& random) {
  const float width = std::ldexp(1 + random.Uniform(), random.Between(-12, 12));
  switch (random.Below(4)) {
    case 0:
      return {0, width};
    case 1:
      return {-width, 0};
    default: {
      const float part = random.Uniform();
      return {-width * part, width * (1 - part)};
    }
  }
}

TEST(NudgedParams, EqualsTheTrainingKernelsGoldens) {
  // Nudged ends and scale as printed by FakeQuantWithMinMaxVars' own code.
  const struct {
    Range range;
    QuantizedLimits limits;
    Range nudged;
    float scale;
  } kRows[] = {
      {{-1, 1}, kUInt8Limits, {-0.996078491f, 1.00392163f}, 0.00784313772f},
      {{0, 6}, kUInt8Limits, {0, 6}, 0.0235294122f},
      {{-.37f, .81f}, kUInt8NarrowLimits, {-0.371653557f, 0.80834645f}, 0.00464566937f},
      {{-6, 6}, kUInt8Limits, {-6.02352953f, 5.97647047f}, 0.0470588244f},
      {{-.1f, 6.2f}, kUInt8Limits, {-0.098823525f, 6.20117617f}, 0.0247058813f},
  };
  for (const auto& row : kRows) {
    const QuantizationParams params = NudgedParams(row.range, row.limits);
    const Range nudged = RepresentableRange(params, row.limits);
    EXPECT_FLOAT_EQ(params.scale, row.scale) << row.range.min;
    EXPECT_FLOAT_EQ(nudged.min, row.nudged.min) << row.range.min;
    EXPECT_FLOAT_EQ(nudged.max, row.nudged.max) << row.range.max;
  }
}

TEST(NudgedParams, ZeroIsExactAndTheEndsMoveByHalfAStepAtMost) {
  Random random(21);
  for (int i = 0; i < 200000; ++i) {
    const Range range = AnyRange(random);
    const QuantizedLimits limits = i % 2 == 0 ? kUInt8Limits : kUInt8NarrowLimits;
    const QuantizationParams params = NudgedParams(range, limits);
    ASSERT_GE(params.zero_point, limits.quant_min);
    ASSERT_LE(params.zero_point, limits.quant_max);
    ASSERT_EQ(QuantizeActivation(0, params, limits), params.zero_point);
    ASSERT_EQ(Dequantize(params.zero_point, params), 0);
    const Range nudged = RepresentableRange(params, limits);
    const float half_step = params.scale * 0.5002f;  // float32 rounding of the ends
    ASSERT_NEAR(nudged.min, range.min, half_step);
    ASSERT_NEAR(nudged.max, range.max, half_step);
  }
}

TEST(NudgedParams, ADeadLayerStaysDeadAndLeavesTheNextBiasItsSteps) {
  for (const QuantizedLimits limits : {kUInt8Limits, QuantizedLimits{-128, 127}}) {
    const QuantizationParams params = NudgedParams({0, 0}, limits);
    EXPECT_EQ(params.scale, ChooseQuantizationParams(0, 0, limits).scale);
    EXPECT_FLOAT_EQ(params.scale, 1.0f / 255);
    EXPECT_EQ(params.zero_point, limits.quant_min);
    EXPECT_EQ(QuantizeBias(20, params.scale, 0.01f), std::lround(20 / (params.scale * 0.01)));
  }
}

TEST(NudgedParams, NoScaleIsUnderTheFloor) {
  for (const Range range : {Range{0, 1e-18f}, Range{-1e-30f, 1e-38f}}) {
    const QuantizationParams params = NudgedParams(range, kUInt8Limits);
    EXPECT_EQ(params.scale, 1e-20f);
    EXPECT_EQ(params.zero_point, 0);
    EXPECT_EQ(ChooseQuantizationParams(static_cast<double>(range.min), static_cast<double>(range.max),
                                       kUInt8Limits),
              params);
  }
}

TEST(NudgedParamsDeathTest, RefusesRangesWithoutZero) {
  EXPECT_DEATH(NudgedParams({1, 2}, kUInt8Limits), "check failed");
  EXPECT_DEATH(NudgedParams({0, std::numeric_limits<float>::infinity()}, kUInt8Limits), "check failed");
  EXPECT_DEATH(NudgedParams({0, std::numeric_limits<float>::quiet_NaN()}, kUInt8Limits), "check failed");
}

TEST(IncludingZero, WidensOnlyTowardsZero) {
  EXPECT_EQ(IncludingZero({1, 2}), (Range{0, 2}));
  EXPECT_EQ(IncludingZero({-2, -1}), (Range{-2, 0}));
  EXPECT_EQ(IncludingZero({-1, 2}), (Range{-1, 2}));
}

TEST(ChooseQuantizationParams, EqualsTheConvertersGoldens) {
  const struct {
    double min, max;
    QuantizedLimits limits;
    QuantizationParams expected;
  } kRows[] = {
      {-.37, .81, kUInt8NarrowLimits, {.00464566937f, 81}},
      {-.37, .81, kUInt8Limits, {.00462745083f, 80}},
      {-6, 6, kUInt8Limits, {.0470588244f, 128}},
      {-.5, .5, kUInt8NarrowLimits, {.00393700786f, 128}},
      {0, 6, kUInt8Limits, {.0235294122f, 0}},
  };
  for (const auto& row : kRows) {
    const QuantizationParams made = ChooseQuantizationParams(row.min, row.max, row.limits);
    EXPECT_EQ(made.scale, row.expected.scale) << row.min;
    EXPECT_EQ(made.zero_point, row.expected.zero_point) << row.min;
  }
}

TEST(ChooseQuantizationParams, AgreesWithTrainingButForTies) {
  // Double against float32, two ends against one: the scale is the same but for its last bit, the zero point
  // differs only where the exact one lies halfway between two integers.
  Random random(22);
  for (int i = 0; i < 200000; ++i) {
    const Range range = AnyRange(random);
    const QuantizationParams trained = NudgedParams(range, kUInt8Limits);
    const QuantizationParams chosen = ChooseQuantizationParams(static_cast<double>(range.min),
                                                               static_cast<double>(range.max), kUInt8Limits);
    ASSERT_FLOAT_EQ(trained.scale, chosen.scale);
    if (trained.zero_point == chosen.zero_point) continue;
    const double exact = -static_cast<double>(range.min) / static_cast<double>(trained.scale);
    ASSERT_NEAR(std::abs(exact - std::floor(exact)), 0.5, 1e-4);
    ASSERT_EQ(std::abs(trained.zero_point - chosen.zero_point), 1);
  }
}

TEST(InputStatsParams, EqualsTheConvertersGoldens) {
  EXPECT_EQ(InputStatsParams(127.5, 127.5), (QuantizationParams{0.00784313772f, 128}));
  EXPECT_EQ(InputStatsParams(0, 255), (QuantizationParams{1.0f / 255.0f, 0}));
  EXPECT_EQ(InputStatsParams(128, 128), (QuantizationParams{0.0078125f, 128}));
  EXPECT_EQ(InputStatsParams(128, 127), (QuantizationParams{static_cast<float>(1.0 / 127), 128}));
  // The article's: a quantized step is 1.0.
  EXPECT_EQ(InputStatsParams(0, 1), (QuantizationParams{1, 0}));
}

TEST(QuantizeActivation, TakesTheNearestValueHalfAwayFromZero) {
  const QuantizationParams half = {0.5f, 10};
  EXPECT_EQ(QuantizeActivation(0.25f, half, kUInt8Limits), 11);
  EXPECT_EQ(QuantizeActivation(-0.25f, half, kUInt8Limits), 9);
  EXPECT_EQ(QuantizeActivation(0.75f, half, kUInt8Limits), 12);
  EXPECT_EQ(QuantizeActivation(0.2499f, half, kUInt8Limits), 10);
}

TEST(QuantizeActivation, SaturatesEverythingThatAFloatCanHold) {
  const QuantizationParams params = {0.5f, 10};
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(QuantizeActivation(3e38f, params, kUInt8Limits), 255);
  EXPECT_EQ(QuantizeActivation(-3e38f, params, kUInt8Limits), 0);
  EXPECT_EQ(QuantizeActivation(kInfinity, params, kUInt8Limits), 255);
  EXPECT_EQ(QuantizeActivation(-kInfinity, params, kUInt8Limits), 0);
  EXPECT_EQ(QuantizeActivation(std::numeric_limits<float>::quiet_NaN(), params, kUInt8Limits), 0);
  EXPECT_EQ(QuantizeActivation(-100, params, kUInt8NarrowLimits), 1);
}

TEST(QuantizeFakeQuant, IsTheNearestStepAndNeverLeavesTheLimits) {
  Random random(23);
  for (int i = 0; i < 500000; ++i) {
    const Range range = AnyRange(random);
    const QuantizedLimits limits = i % 2 == 0 ? kUInt8NarrowLimits : kUInt8Limits;
    const QuantizationParams params = NudgedParams(range, limits);
    const float real = range.min * 1.25f + (range.max - range.min) * 1.5f * random.Uniform();
    const int32_t quantized = QuantizeFakeQuant(real, params, limits);
    ASSERT_GE(quantized, limits.quant_min);
    ASSERT_LE(quantized, limits.quant_max);
    const long double exact = static_cast<long double>(real) / params.scale + params.zero_point;
    const long double clamped =
        std::min<long double>(std::max<long double>(exact, limits.quant_min), limits.quant_max);
    // Half a step, and float32's rounding of a quotient up to 256.
    ASSERT_LE(std::abs(clamped - quantized), 0.5L + 6e-5L) << real << " / " << params.scale;
  }
}

TEST(QuantizeFakeQuant, EveryStepComesBackToItself) {
  Random random(24);
  for (int i = 0; i < 2000; ++i) {
    const QuantizationParams params = NudgedParams(AnyRange(random), kUInt8NarrowLimits);
    for (int32_t q = 1; q <= 255; ++q) {
      ASSERT_EQ(QuantizeFakeQuant(Dequantize(q, params), params, kUInt8NarrowLimits), q);
      ASSERT_EQ(QuantizeActivation(Dequantize(q, params), params, kUInt8Limits), q);
    }
  }
}

TEST(QuantizeFakeQuant, TiesGoUpInTheShiftedDomain) {
  const QuantizationParams params = {0.5f, 128};
  EXPECT_EQ(QuantizeFakeQuant(0.25f, params, kUInt8Limits), 129);
  EXPECT_EQ(QuantizeFakeQuant(-0.25f, params, kUInt8Limits), 128);  // half away from zero would give 127
}

TEST(QuantizeFakeQuant, SaturatesInfinitiesAndTakesNaNToZero) {
  const QuantizationParams params = {0.5f, 128};
  EXPECT_EQ(QuantizeFakeQuant(std::numeric_limits<float>::infinity(), params, kUInt8Limits), 255);
  EXPECT_EQ(QuantizeFakeQuant(-std::numeric_limits<float>::infinity(), params, kUInt8NarrowLimits), 1);
  EXPECT_EQ(QuantizeFakeQuant(std::numeric_limits<float>::quiet_NaN(), params, kUInt8Limits), 128);
}

TEST(Dequantize, RoundsOnceFromDouble) {
  EXPECT_EQ(Dequantize(255, {0.1f, 0}), static_cast<float>(255 * static_cast<double>(0.1f)));
  EXPECT_EQ(Dequantize(3, {0.25f, 7}), -1.0f);
}

TEST(QuantizeBias, CountsStepsOfTheProductOfScales) {
  EXPECT_EQ(QuantizeBias(1.0f, 0.5f, 0.25f), 8);
  EXPECT_EQ(QuantizeBias(-0.0625f, 0.5f, 0.25f), -1);  // -0.5: away from zero
  EXPECT_EQ(QuantizeBias(0, 0.5f, 0.25f), 0);
  // The product is rounded to float32, as the file stores it: 0.1f * 0.3f differs from its double value.
  const float product = 0.1f * 0.3f;
  EXPECT_EQ(QuantizeBias(1e6f, 0.1f, 0.3f),
            static_cast<int32_t>(std::llround(1e6 / static_cast<double>(product))));
}

TEST(QuantizeBias, SaturatesToInt32) {
  EXPECT_EQ(QuantizeBias(1e30f, 1e-9f, 1e-9f), std::numeric_limits<int32_t>::max());
  EXPECT_EQ(QuantizeBias(-1e30f, 1e-9f, 1e-9f), -std::numeric_limits<int32_t>::max());
}

}  // namespace
}  // namespace qat
