// fixed_point.h: the normative requantization. Equal bit by bit to TFLite's reference kernels in the default
// (double rounding) build; docs/quantization.md#rounding describes what other runtimes do.
#ifndef QAT_QUANT_FIXED_POINT_H_
#define QAT_QUANT_FIXED_POINT_H_

#include <cstdint>
#include <limits>

namespace qat {

/// A real multiplier as multiplier * 2^(shift - 31); `shift` is positive to the left.
struct FixedPointMultiplier {
  int32_t multiplier = 0;  ///< 0, or in [2^30, 2^31), or of a negative number in [-2^31, -2^30]
  int shift = 0;           ///< in [-31, 30]
  bool operator==(const FixedPointMultiplier&) const = default;
};

/// Splits a finite real multiplier by frexp; the fraction is rounded half away from zero to 31 bits; under
/// 2^-32 it is 0, from 2^30 on it saturates.
/// Source    tflite/kernels/internal/quantization_util.cc, QuantizeMultiplier.
FixedPointMultiplier QuantizeMultiplier(double real_multiplier);

/// floor((a * b + 2^30) / 2^31): ties go up. a = b = -2^31 saturates to 2^31 - 1.
/// Source    gemmlowp fixedpoint.h, SaturatingRoundingDoublingHighMul (ARM SQRDMULH).
inline int32_t SaturatingRoundingDoublingHighMul(int32_t a, int32_t b) {
  if (a == b && a == std::numeric_limits<int32_t>::min()) return std::numeric_limits<int32_t>::max();
  const int64_t product = static_cast<int64_t>(a) * b;
  return static_cast<int32_t>((product + (int64_t{1} << 30)) >> 31);
}

/// x / 2^exponent to nearest, ties away from zero. Requires exponent in [0, 31].
/// Source    gemmlowp fixedpoint.h.
inline int32_t RoundingDivideByPOT(int32_t x, int exponent) {
  const auto mask = static_cast<int32_t>((int64_t{1} << exponent) - 1);
  const int32_t remainder = x & mask;
  const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

/// acc * real_multiplier, rounded twice. The left shift wraps, as TFLite's 32-bit multiplication does in
/// practice.
/// Source    tflite/kernels/internal/common.cc, MultiplyByQuantizedMultiplier without TFLITE_SINGLE_ROUNDING.
inline int32_t MultiplyByQuantizedMultiplier(int32_t acc, FixedPointMultiplier m) {
  const int left = m.shift > 0 ? m.shift : 0;
  const int right = m.shift > 0 ? 0 : -m.shift;
  const auto shifted = static_cast<int32_t>(static_cast<uint32_t>(acc) << left);
  return RoundingDivideByPOT(SaturatingRoundingDoublingHighMul(shifted, m.multiplier), right);
}

/// The same for 64-bit sums: the multiplier is rounded to 16 bits, and the product once, ties up. Wraps
/// outside int64 and int32, as TFLite does. A left shift of 15 or more, as of a layer whose output is always
/// 0, has no meaning in C++ there: its number of bits counts modulo 64, as processors have it.
/// Source    the overload for int64_t in the same file: int16 activations.
inline int32_t MultiplyWideByQuantizedMultiplier(int64_t acc, FixedPointMultiplier m) {
  const int32_t reduced = m.multiplier < 0x7fff0000 ? (m.multiplier + (1 << 15)) >> 16 : 0x7fff;
  const auto shift = static_cast<uint32_t>(15 - m.shift);
  const uint64_t product =
      static_cast<uint64_t>(acc) * static_cast<uint64_t>(reduced) + (uint64_t{1} << ((shift - 1) % 64));
  return static_cast<int32_t>(static_cast<int64_t>(product) >> (shift % 64));
}

}  // namespace qat

#endif  // QAT_QUANT_FIXED_POINT_H_
