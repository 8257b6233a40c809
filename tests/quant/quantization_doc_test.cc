// The twin of docs/quantization.md: every numbered formula there is a test here, with the formula copied
// above it, run with naive real arithmetic on one side and integers on the other.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <numeric>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/random.h"
#include "quant/fixed_point.h"
#include "quant/params.h"
#include "support/places.h"

namespace qat {
namespace {

double RealOf(int32_t quantized, QuantizationParams params) {
  return static_cast<double>(params.scale) * (quantized - params.zero_point);
}

float Between(Random& random, float low, float high) { return low + (high - low) * random.Uniform(); }

// n bytes that all have the same parameters.
struct Tensor {
  QuantizationParams params;
  std::vector<int32_t> values;
  double Real(size_t i) const { return RealOf(values[i], params); }
  int64_t Sum() const { return std::accumulate(values.begin(), values.end(), int64_t{0}); }
};

Tensor AnyTensor(Random& random, size_t n, QuantizedLimits limits) {
  Tensor tensor;
  tensor.params = NudgedParams({Between(random, -3, 0), Between(random, 0.1f, 3)}, limits);
  for (size_t i = 0; i < n; ++i) tensor.values.push_back(random.Between(limits.quant_min, limits.quant_max));
  return tensor;
}

int32_t Accumulate(const Tensor& x, const Tensor& w) {
  int32_t acc = 0;
  for (size_t i = 0; i < x.values.size(); ++i) {
    acc += (x.values[i] - x.params.zero_point) * (w.values[i] - w.params.zero_point);
  }
  return acc;
}

double RealDotProduct(const Tensor& x, const Tensor& w) {
  double sum = 0;
  for (size_t i = 0; i < x.values.size(); ++i) sum += x.Real(i) * w.Real(i);
  return sum;
}

// (F1) real = scale * (quantized - zero_point)
TEST(QuantizationDoc, F1) {
  const QuantizationParams params = {0.25f, 100};
  EXPECT_EQ(Dequantize(104, params), 1.0f);
  for (int32_t q = 0; q <= 255; ++q) EXPECT_EQ(static_cast<double>(Dequantize(q, params)), RealOf(q, params));
}

// (F2) quantized = clamp(round(real / scale) + zero_point, quant_min, quant_max)
TEST(QuantizationDoc, F2) {
  Random random(2);
  const QuantizationParams params = {0.01f, 77};
  const Range range = RepresentableRange(params, kUInt8Limits);
  for (int i = 0; i < 100000; ++i) {
    const float real = Between(random, range.min, range.max);
    const int32_t quantized = QuantizeActivation(real, params, kUInt8Limits);
    ASSERT_LE(std::abs(RealOf(quantized, params) - static_cast<double>(real)), 0.005 * 1.0001)
        << "half a step";
  }
  EXPECT_EQ(QuantizeActivation(range.max + 5, params, kUInt8Limits), 255);
  EXPECT_EQ(QuantizeActivation(range.min - 5, params, kUInt8Limits), 0);
}

// (F3) scale * (zero_point - zero_point) = 0
TEST(QuantizationDoc, F3) {
  Random random(3);
  for (int i = 0; i < 10000; ++i) {
    const Tensor tensor = AnyTensor(random, 0, kUInt8Limits);
    ASSERT_EQ(QuantizeActivation(0, tensor.params, kUInt8Limits), tensor.params.zero_point);
    ASSERT_EQ(Dequantize(tensor.params.zero_point, tensor.params), 0);
  }
}

// (F4) 2 * 128 * 127 < 2^15 <= 2 * 128 * 128
TEST(QuantizationDoc, F4) {
  int32_t narrow = 0;
  int32_t full = 0;
  for (int32_t x = -128; x <= 127; ++x) {
    for (int32_t w = -128; w <= 127; ++w) {
      full = std::max(full, 2 * std::abs(x * w));
      if (w >= kUInt8NarrowLimits.quant_min - 128) narrow = std::max(narrow, 2 * std::abs(x * w));
    }
  }
  EXPECT_LE(narrow, std::numeric_limits<int16_t>::max());
  EXPECT_GT(full, std::numeric_limits<int16_t>::max());
}

// (F5) scale = (max - min) / (quant_max - quant_min)
//      zero_point = round(clamp(quant_min - min / scale, quant_min, quant_max))
TEST(QuantizationDoc, F5) {
  Random random(5);
  for (int i = 0; i < 100000; ++i) {
    const Range range = {Between(random, -4, 0), Between(random, 0.01f, 4)};
    const QuantizationParams params = NudgedParams(range, kUInt8NarrowLimits);
    const double scale = (static_cast<double>(range.max) - static_cast<double>(range.min)) / 254;
    const double zero_point = std::clamp(1 - static_cast<double>(range.min) / scale, 1.0, 255.0);
    ASSERT_NEAR(static_cast<double>(params.scale) / scale, 1, 1e-6);
    ASSERT_NEAR(params.zero_point, zero_point, 0.5 + 1e-4);
  }
}

// (F6) min' = (quant_min - zero_point) * scale
//      max' = (quant_max - zero_point) * scale
//      |min' - min| <= scale / 2
TEST(QuantizationDoc, F6) {
  Random random(6);
  for (int i = 0; i < 100000; ++i) {
    const Range range = {Between(random, -4, 0), Between(random, 0.01f, 4)};
    const QuantizationParams params = NudgedParams(range, kUInt8Limits);
    const Range nudged = RepresentableRange(params, kUInt8Limits);
    ASSERT_NEAR(static_cast<double>(nudged.min), RealOf(0, params), 1e-6);
    ASSERT_NEAR(static_cast<double>(nudged.max), RealOf(255, params), 1e-6);
    ASSERT_LE(std::abs(nudged.min - range.min), params.scale * 0.5002f);
    ASSERT_NEAR((nudged.max - nudged.min) / (range.max - range.min), 1, 1e-6) << "the width stays";
  }
}

// (F7) from_min = quant_min - min / scale,   error_min = |quant_min| + |min / scale|
//      from_max = quant_max - max / scale,   error_max = |quant_max| + |max / scale|
//      zero_point = round(error_min < error_max ? from_min : from_max)
TEST(QuantizationDoc, F7) {
  Random random(7);
  int differ = 0;
  for (int i = 0; i < 100000; ++i) {
    const Range range = {Between(random, -4, 0), Between(random, 0.01f, 4)};
    const auto min = static_cast<double>(range.min);
    const auto max = static_cast<double>(range.max);
    const double scale = (max - min) / 255;
    const double from_min = 0 - min / scale;
    const double from_max = 255 - max / scale;
    const bool min_is_better = std::abs(min / scale) < 255 + std::abs(max / scale);
    const QuantizationParams params = ChooseQuantizationParams(min, max, kUInt8Limits);
    ASSERT_EQ(params.zero_point, std::lround(min_is_better ? from_min : from_max));
    if (params.zero_point == NudgedParams(range, kUInt8Limits).zero_point) continue;
    ++differ;
    ASSERT_NEAR(from_min - std::floor(from_min), 0.5, 1e-4) << "halfway between two integers";
  }
  EXPECT_LT(differ, 100);
}

// (F8) scale = 1 / std
//      zero_point = mean
TEST(QuantizationDoc, F8) {
  for (const auto& [mean, std] : {std::pair(0.0, 255.0), std::pair(128.0, 127.0), std::pair(33.0, 78.5)}) {
    const QuantizationParams params = {static_cast<float>(1 / std), static_cast<int32_t>(mean)};
    for (int32_t byte = 0; byte <= 255; ++byte) ASSERT_NEAR(RealOf(byte, params), (byte - mean) / std, 1e-6);
  }
  // What (0, 1) makes of an image in [0, 1]: two levels.
  const QuantizationParams article = InputStatsParams(0, 1);
  EXPECT_EQ(QuantizeActivation(0.49f, article, kUInt8Limits), 0);
  EXPECT_EQ(QuantizeActivation(1.0f, article, kUInt8Limits), 1);
}

// (F9) sum x[i] * w[i] = x_scale * w_scale * sum (xq[i] - x_zero) * (wq[i] - w_zero)
TEST(QuantizationDoc, F9) {
  Random random(9);
  for (int i = 0; i < 2000; ++i) {
    const Tensor x = AnyTensor(random, 150, kUInt8Limits);
    const Tensor w = AnyTensor(random, 150, kUInt8NarrowLimits);
    const double scale = static_cast<double>(x.params.scale) * static_cast<double>(w.params.scale);
    ASSERT_NEAR(RealDotProduct(x, w), scale * Accumulate(x, w), 1e-9);
  }
}

// (F10) sum (xq[i] - x_zero) * (wq[i] - w_zero)
//       = sum xq[i] * wq[i] - w_zero * sum xq[i] - x_zero * sum wq[i] + n * x_zero * w_zero
TEST(QuantizationDoc, F10) {
  Random random(10);
  for (int i = 0; i < 2000; ++i) {
    const size_t n = 1 + random.Below(400);
    const Tensor x = AnyTensor(random, n, kUInt8Limits);
    const Tensor w = AnyTensor(random, n, kUInt8NarrowLimits);
    const int64_t x_zero = x.params.zero_point;
    const int64_t w_zero = w.params.zero_point;
    int64_t products = 0;
    for (size_t k = 0; k < n; ++k) products += int64_t{x.values[k]} * w.values[k];
    const auto count = static_cast<int64_t>(n);
    ASSERT_EQ(Accumulate(x, w), products - w_zero * x.Sum() - x_zero * w.Sum() + count * x_zero * w_zero);
  }
}

// (F11) bias_scale = x_scale * w_scale
//       bias_quantized = round(bias / bias_scale)
TEST(QuantizationDoc, F11) {
  Random random(11);
  for (int i = 0; i < 100000; ++i) {
    const float x_scale = Between(random, 0.001f, 0.1f);
    const float w_scale = Between(random, 0.001f, 0.1f);
    const float bias = Between(random, -2, 2);
    const float bias_scale = x_scale * w_scale;
    const double error =
        static_cast<double>(bias_scale) * QuantizeBias(bias, x_scale, w_scale) - static_cast<double>(bias);
    ASSERT_LE(std::abs(error), static_cast<double>(bias_scale) / 2 * (1 + 1e-9));
  }
}

// (F12) 255 * 255 * n + |bias_quantized| < 2^31
TEST(QuantizationDoc, F12) {
  constexpr int64_t kLimit = int64_t{1} << 31;
  EXPECT_LT(int64_t{255} * 255 * 33025, kLimit);
  EXPECT_GE(int64_t{255} * 255 * 33026, kLimit);
}

// (F13) yq = y_zero + round(acc * real_multiplier)
//       real_multiplier = x_scale * w_scale / y_scale
TEST(QuantizationDoc, F13) {
  Random random(13);
  for (int i = 0; i < 2000; ++i) {
    const Tensor x = AnyTensor(random, 100, kUInt8Limits);
    const Tensor w = AnyTensor(random, 100, kUInt8NarrowLimits);
    const QuantizationParams y = NudgedParams({-40, 60}, kUInt8Limits);
    const double real = RealDotProduct(x, w);
    const auto product = static_cast<double>(x.params.scale * w.params.scale);
    const FixedPointMultiplier m = QuantizeMultiplier(product / static_cast<double>(y.scale));
    const int32_t quantized = y.zero_point + MultiplyByQuantizedMultiplier(Accumulate(x, w), m);
    // Half a step, and what (F18) adds to it.
    ASSERT_NEAR(RealOf(quantized, y), real,
                static_cast<double>(y.scale) * (0.5 + std::ldexp(0.5, m.shift) + 1e-4));
  }
}

// (F14) real_multiplier = multiplier * 2^(shift - 31) * (1 + e),   2^30 <= multiplier < 2^31,   |e| <= 2^-31
TEST(QuantizationDoc, F14) {
  Random random(14);
  for (int i = 0; i < 100000; ++i) {
    const double real = std::ldexp(1.0 + static_cast<double>(random.Uniform()), random.Between(-20, 4));
    const FixedPointMultiplier m = QuantizeMultiplier(real);
    ASSERT_GE(m.multiplier, 1 << 30);
    const double error = real / std::ldexp(static_cast<double>(m.multiplier), m.shift - 31) - 1;
    ASSERT_LE(std::abs(error), std::ldexp(1, -31));
  }
}

// (F15) high(a, b) = floor((a * b + 2^30) / 2^31)
TEST(QuantizationDoc, F15) {
  Random random(15);
  for (int i = 0; i < 100000; ++i) {
    const auto a = static_cast<int32_t>(random.Next());
    const auto b = static_cast<int32_t>(random.Next());
    // 64 bits of mantissa hold the 62-bit product and its half exactly.
    const long double exact = static_cast<long double>(a) * b;
    ASSERT_EQ(SaturatingRoundingDoublingHighMul(a, b), std::floor((exact + 0x1p30L) / 0x1p31L));
  }
}

// (F16) divide(x, n) = round(x / 2^n)
TEST(QuantizationDoc, F16) {
  Random random(16);
  for (int i = 0; i < 100000; ++i) {
    const auto x = static_cast<int32_t>(random.Next());
    const int n = random.Between(0, 31);
    ASSERT_EQ(RoundingDivideByPOT(x, n), std::round(std::ldexp(static_cast<double>(x), -n)));
  }
}

// (F17) requantize(acc) = divide(high(acc * 2^left, multiplier), right)
TEST(QuantizationDoc, F17) {
  const FixedPointMultiplier eighth = QuantizeMultiplier(0.125);
  const std::map<int32_t, int32_t> table = {{-20, -3}, {-12, -2}, {-4, -1}, {4, 1}, {12, 2}, {20, 3}};
  for (const auto& [acc, expected] : table) EXPECT_EQ(MultiplyByQuantizedMultiplier(acc, eighth), expected);
  EXPECT_EQ(MultiplyByQuantizedMultiplier(3, eighth), 1) << "3/8 becomes 2/4 becomes 1";
  Random random(17);
  for (int i = 0; i < 100000; ++i) {
    const FixedPointMultiplier m = {random.Between(1 << 30, std::numeric_limits<int32_t>::max()),
                                    random.Between(-15, 8)};
    const int32_t acc = random.Between(-100000, 100000);
    const long double shifted = std::ldexp(static_cast<long double>(acc), std::max(m.shift, 0));
    const long double high = std::floor((shifted * m.multiplier + 0x1p30L) / 0x1p31L);
    ASSERT_EQ(MultiplyByQuantizedMultiplier(acc, m), std::round(std::ldexp(high, std::min(m.shift, 0))));
  }
}

// (F18) |requantize(acc) - acc * multiplier * 2^(shift - 31)| <= 1/2 + 2^-(right + 1)
TEST(QuantizationDoc, F18) {
  Random random(18);
  for (int i = 0; i < 200000; ++i) {
    const FixedPointMultiplier m = {random.Between(1 << 30, std::numeric_limits<int32_t>::max()),
                                    random.Between(-12, 0)};
    const int32_t acc = random.Between(-1000000, 1000000);
    const long double exact = std::ldexp(static_cast<long double>(acc) * m.multiplier, m.shift - 31);
    ASSERT_LE(std::abs(MultiplyByQuantizedMultiplier(acc, m) - exact), 0.5L + std::ldexp(0.5L, m.shift));
  }
}

int32_t RequantizeOnce(int32_t acc, FixedPointMultiplier m) {
  return static_cast<int32_t>((int64_t{acc} * m.multiplier + (int64_t{1} << (30 - m.shift))) >>
                              (31 - m.shift));
}

// (F19) once(acc) = floor((acc * multiplier + 2^(30 - shift)) / 2^(31 - shift))
TEST(QuantizationDoc, F19) {
  const FixedPointMultiplier eighth = QuantizeMultiplier(0.125);
  const std::map<int32_t, int32_t> table = {{-20, -2}, {-12, -1}, {-4, 0}, {4, 1}, {12, 2}, {20, 3}};
  for (const auto& [acc, expected] : table) EXPECT_EQ(RequantizeOnce(acc, eighth), expected);
  Random random(19);
  constexpr int kCount = 200000;
  int differ = 0;
  for (int i = 0; i < kCount; ++i) {
    const FixedPointMultiplier m = QuantizeMultiplier(static_cast<double>(Between(random, 5e-4f, 2e-2f)));
    const int32_t acc = random.Between(-30000, 30000);
    const int32_t difference = MultiplyByQuantizedMultiplier(acc, m) - RequantizeOnce(acc, m);
    ASSERT_LE(std::abs(difference), 1);
    differ += difference != 0 ? 1 : 0;
  }
  EXPECT_NEAR(100.0 * differ / kCount, 0.8, 0.1) << "percent";
}

// (F20) yq = y_zero + round(acc * (x_scale * w_scale / y_scale)),   all in double
TEST(QuantizationDoc, F20) {
  Random random(20);
  constexpr int kCount = 200000;
  int differ = 0;
  for (int i = 0; i < kCount; ++i) {
    const float x = Between(random, 0.01f, 0.05f);
    const float w = Between(random, 0.002f, 0.01f);
    const float y = Between(random, 0.05f, 0.2f);
    const double multiplier = static_cast<double>(x) * static_cast<double>(w) / static_cast<double>(y);
    const int32_t acc = random.Between(-30000, 30000);
    const auto once = static_cast<int32_t>(std::round(acc * multiplier));
    const FixedPointMultiplier m = QuantizeMultiplier(static_cast<double>(x * w) / static_cast<double>(y));
    const int32_t difference = once - MultiplyByQuantizedMultiplier(acc, m);
    ASSERT_LE(std::abs(difference), 1);
    differ += difference != 0 ? 1 : 0;
  }
  EXPECT_GT(differ, 0) << "the profiles would be one";
  EXPECT_LT(100.0 * differ / kCount, 2.0) << "percent";
}

// (F21) activation_min = max(quant_min, y_zero + round(0 / y_scale))
//       relu6: activation_max = min(quant_max, y_zero + round(6 / y_scale))
TEST(QuantizationDoc, F21) {
  Random random(21);
  for (int i = 0; i < 2000; ++i) {
    const QuantizationParams y = NudgedParams({Between(random, -4, 0), Between(random, 1, 12)}, kUInt8Limits);
    const auto scale = static_cast<double>(y.scale);
    const int32_t low = std::max<int32_t>(0, y.zero_point + static_cast<int32_t>(std::lround(0 / scale)));
    const int32_t high = std::min<int32_t>(255, y.zero_point + static_cast<int32_t>(std::lround(6 / scale)));
    for (int32_t q = 0; q <= 255; ++q) {
      const double relu6 = std::clamp(RealOf(q, y), 0.0, 6.0);
      ASSERT_NEAR(RealOf(std::clamp(q, low, high), y), relu6, scale * 0.5001);
    }
  }
  EXPECT_EQ(NudgedParams({0, 3.7f}, kUInt8Limits).zero_point, 0) << "after a relu";
}

// (F22) average = floor((sum + floor(n / 2)) / n)
TEST(QuantizationDoc, F22) {
  for (int32_t n = 1; n <= 49; ++n) {
    for (int32_t sum = 0; sum <= 255 * n; ++sum) {
      // Halves up: what floor(mean + 1/2) says, in halves of n to stay in integers.
      ASSERT_EQ((sum + n / 2) / n, static_cast<int32_t>(std::floor((2.0 * sum + n) / (2.0 * n))))
          << sum << " / " << n;
    }
  }
}

// exp(a / 2^26) * 2^31 for a <= 0, by a polynomial around -1/8 and a table of exp(-2^k).
int32_t ExpOfNegative(int32_t a) {
  if (a == 0) return std::numeric_limits<int32_t>::max();
  constexpr int32_t kQuarter = 1 << 24;
  const int32_t rest = (a & (kQuarter - 1)) - kQuarter;  // in [-1/4, 0)
  const int32_t x = (rest << 5) + (1 << 28);             // rest + 1/8, 31 fractional bits
  const int32_t x2 = SaturatingRoundingDoublingHighMul(x, x);
  const int32_t x3 = SaturatingRoundingDoublingHighMul(x2, x);
  const int32_t x4 = SaturatingRoundingDoublingHighMul(x2, x2);
  constexpr int32_t kOneThird = 715827883;
  constexpr int32_t kExpOfMinusEighth = 1895147668;
  const int32_t high_terms = RoundingDivideByPOT(
      SaturatingRoundingDoublingHighMul(RoundingDivideByPOT(x4, 2) + x3, kOneThird) + x2, 1);
  int32_t result = kExpOfMinusEighth + SaturatingRoundingDoublingHighMul(kExpOfMinusEighth, x + high_terms);
  const int32_t bits = rest - a;
  constexpr int32_t kExpOfPowers[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  for (int k = 0; k < 7; ++k) {
    if ((bits >> (24 + k)) & 1) result = SaturatingRoundingDoublingHighMul(result, kExpOfPowers[k]);
  }
  return result;
}

// 2^62 / (2^31 + a): one over one plus a fraction, in 31 fractional bits, by Newton's iteration.
int32_t OneOverOnePlus(int32_t a) {
  const auto half = static_cast<int32_t>((int64_t{a} + std::numeric_limits<int32_t>::max() + 1) / 2);
  constexpr int32_t k48Over17 = 1515870810;
  constexpr int32_t kMinus32Over17 = -1010580540;
  int32_t x = k48Over17 + SaturatingRoundingDoublingHighMul(half, kMinus32Over17);  // 29 fractional bits
  for (int i = 0; i < 3; ++i) {
    const int32_t residue = (1 << 29) - SaturatingRoundingDoublingHighMul(half, x);
    x += SaturatingRoundingDoublingHighMul(x, residue) * 4;
  }
  return static_cast<int32_t>(std::min<int64_t>(int64_t{x} * 2, std::numeric_limits<int32_t>::max()));
}

std::vector<int32_t> FixedPointSoftmax(const std::vector<int32_t>& values, double beta_scale) {
  const FixedPointMultiplier m = QuantizeMultiplier(beta_scale * (1 << 26));
  const auto lowest = -static_cast<int32_t>(std::floor(31.0 * (1 << 26) / std::ldexp(1, m.shift)));
  const int32_t largest = *std::max_element(values.begin(), values.end());
  const auto exponential = [&](int32_t value) {
    return value - largest < lowest ? 0 : ExpOfNegative(MultiplyByQuantizedMultiplier(value - largest, m));
  };
  uint32_t sum = 0;  // 19 fractional bits
  for (int32_t value : values) sum += static_cast<uint32_t>(RoundingDivideByPOT(exponential(value), 12));
  const int headroom = __builtin_clz(sum);
  const auto fraction = static_cast<int32_t>((sum << headroom) - (1u << 31));
  std::vector<int32_t> result;
  for (int32_t value : values) {
    const int32_t product = SaturatingRoundingDoublingHighMul(OneOverOnePlus(fraction), exponential(value));
    result.push_back(std::clamp(RoundingDivideByPOT(product, (12 - headroom) + 31 - 8), 0, 255));
  }
  return result;
}

// (F23) yq = clamp(round(256 * exp(d[i]) / sum exp(d[j])), 0, 255)
//       d[i] = beta * x_scale * (xq[i] - max xq)
TEST(QuantizationDoc, F23) {
  const auto tenth = static_cast<double>(0.1f);
  EXPECT_EQ(FixedPointSoftmax({10, 20, 30, 128, 200, 205, 210, 255, 254, 250}, tenth),
            (std::vector<int32_t>{0, 0, 0, 0, 0, 1, 1, 101, 91, 61}));  // printed by the reference kernel
  EXPECT_EQ(FixedPointSoftmax(std::vector<int32_t>(10, 77), tenth), std::vector<int32_t>(10, 26));
  Random random(23);
  for (int i = 0; i < 5000; ++i) {
    const double scale = static_cast<double>(Between(random, 0.01f, 0.3f));
    std::vector<int32_t> values(2 + random.Below(20));
    for (int32_t& value : values) value = random.Between(0, 255);
    const int32_t largest = *std::max_element(values.begin(), values.end());
    double sum = 0;
    for (int32_t value : values) sum += std::exp(scale * (value - largest));
    const std::vector<int32_t> made = FixedPointSoftmax(values, scale);
    for (size_t k = 0; k < values.size(); ++k) {
      const double exact = std::min(256 * std::exp(scale * (values[k] - largest)) / sum, 255.0);
      ASSERT_NEAR(made[k], exact, 0.5 + 1e-3);
    }
  }
}

// Training's forward pass, in double.
double FakeQuantize(double x, Range nudged, double scale) {
  const auto low = static_cast<double>(nudged.min);
  const auto high = static_cast<double>(nudged.max);
  return std::floor((std::clamp(x, low, high) - low) / scale + 0.5) * scale + low;
}

// (F24) y = floor((clamp(x, min', max') - min') / scale + 1/2) * scale + min'
TEST(QuantizationDoc, F24) {
  Random random(24);
  for (int i = 0; i < 200000; ++i) {
    const QuantizationParams params =
        NudgedParams({Between(random, -2, 0), Between(random, 0.1f, 2)}, kUInt8NarrowLimits);
    const Range nudged = RepresentableRange(params, kUInt8NarrowLimits);
    const auto scale = static_cast<double>(params.scale);
    const float x = Between(random, -3, 3);
    const int32_t quantized = QuantizeFakeQuant(x, params, kUInt8NarrowLimits);
    const double fake = FakeQuantize(static_cast<double>(x), nudged, scale);
    const double steps = (static_cast<double>(x) - static_cast<double>(nudged.min)) / scale;
    if (std::abs(steps - std::floor(steps) - 0.5) < 1e-4)
      continue;  // a tie, which float32 and double may see differently
    ASSERT_NEAR(RealOf(quantized, params), fake, scale * 1e-3) << "the byte stands for what training used";
  }
}

// (F25) dy/dx = 1 if min' <= x <= max' else 0
TEST(QuantizationDoc, F25) {
  // The mean slope of the staircase over many steps is the gradient that straight-through claims.
  const QuantizationParams params = NudgedParams({-1, 2}, kUInt8Limits);
  const Range nudged = RepresentableRange(params, kUInt8Limits);
  const auto scale = static_cast<double>(params.scale);
  const auto slope = [&](double from, double to) {
    return (FakeQuantize(to, nudged, scale) - FakeQuantize(from, nudged, scale)) / (to - from);
  };
  EXPECT_NEAR(slope(-0.9, 1.9), 1, 0.01);
  EXPECT_EQ(slope(2.1, 5), 0);
  EXPECT_EQ(slope(-5, -1.1), 0);
}

// (F26) biased(t) = d * biased(t - 1) + (1 - d) * v(t),   biased(0) = 0
//       value(t) = biased(t) / (1 - d^t)
//                = sum d^(t - k) * v(k) / sum d^(t - k),   k = 1 … t
TEST(QuantizationDoc, F26) {
  Random random(26);
  const double d = 0.999;
  double biased = 0;
  std::vector<double> seen;
  for (int t = 1; t <= 500; ++t) {
    seen.push_back(static_cast<double>(Between(random, 1, 5)));
    biased = d * biased + (1 - d) * seen.back();
    const double value = biased / (1 - std::pow(d, t));
    double weighted = 0;
    double weights = 0;
    for (int k = 1; k <= t; ++k) {
      weighted += std::pow(d, t - k) * seen[static_cast<size_t>(k - 1)];
      weights += std::pow(d, t - k);
    }
    ASSERT_NEAR(value, weighted / weights, 1e-9);
    if (t == 1) {
      ASSERT_NEAR(value, seen[0], 1e-12) << "the first batch's own";
    }
  }
}

// (F27) |a sum of integers| <= 2^53 is exact in float64, in any order
TEST(QuantizationDoc, F27) {
  Random random(27);
  std::vector<int32_t> products(5000);
  for (int32_t& product : products) product = random.Between(-255, 255) * random.Between(-255, 255);
  const auto exact = static_cast<double>(std::accumulate(products.begin(), products.end(), int64_t{0}));
  for (int order = 0; order < 20; ++order) {
    Shuffle(std::span(products), random);
    double sum = 0;
    for (int32_t product : products) sum += product;
    ASSERT_EQ(sum, exact);
  }
  // float32 holds every integer up to 2^24 and not the next one; 259 taps can exceed it.
  EXPECT_NE(static_cast<float>((1 << 24) + 1), static_cast<double>((1 << 24) + 1));
  EXPECT_LE(255 * 255 * 258, 1 << 24);
  EXPECT_GT(255 * 255 * 259, 1 << 24);
}

// Tag -> formula, blanks squeezed, from blocks whose lines are what `line` matches in its first group.
std::map<std::string, std::string> Formulas(const std::string& path, const std::regex& line) {
  std::map<std::string, std::string> formulas;
  std::ifstream file(std::string(testing::kSourceDir) + "/" + path);
  std::string tag;
  for (std::string text; std::getline(file, text);) {
    std::smatch match;
    if (!std::regex_match(text, match, line)) {
      tag.clear();
      continue;
    }
    std::istringstream words(match[1]);
    std::string word;
    std::string joined;
    while (words >> word) joined += (joined.empty() ? "" : " ") + word;
    static const std::regex kTag("\\((F[0-9]+)\\) .*");
    if (std::smatch tagged; std::regex_match(joined, tagged, kTag)) {
      tag = tagged[1];
    }
    if (tag.empty()) continue;
    formulas[tag] += (formulas[tag].empty() ? "" : "\n") + joined;
  }
  return formulas;
}

TEST(QuantizationDocument, AndItsTestsHaveTheSameFormulas) {
  // In the page a formula is a block of its own: a tagged line, and lines indented under it.
  const auto page = Formulas("docs/quantization.md", std::regex("(\\(F[0-9]+\\) .*|     .*)"));
  const auto twin =
      Formulas("tests/quant/quantization_doc_test.cc", std::regex("// (\\(F[0-9]+\\) .*|     .*)"));
  EXPECT_EQ(page, twin);
  std::set<std::string> tags;
  for (const auto& [tag, formula] : page) tags.insert(tag);
  std::set<std::string> tests;
  const ::testing::UnitTest& all = *::testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const ::testing::TestSuite& suite = *all.GetTestSuite(i);
    if (std::string(suite.name()) != "QuantizationDoc") continue;
    for (int k = 0; k < suite.total_test_count(); ++k) tests.insert(suite.GetTestInfo(k)->name());
  }
  EXPECT_EQ(tags, tests);
  EXPECT_GE(tags.size(), 27u);
}

TEST(QuantizationDocument, AnchorsThatHeadersNameExist) {
  std::ifstream file(std::string(testing::kSourceDir) + "/docs/quantization.md");
  std::ostringstream text;
  text << file.rdbuf();
  for (const std::string anchor : {"rounding", "profiles"}) {
    EXPECT_NE(text.str().find("<a id=\"" + anchor + "\">"), std::string::npos) << anchor;
  }
}

}  // namespace
}  // namespace qat
