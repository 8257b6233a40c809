// quotient.h: the function of two values that defines div on quantized values.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_QUOTIENT_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_QUOTIENT_H_

#include <bit>
#include <cstdint>

#include "runtime/kernels/reference/binary.h"
#include "runtime/kernels/reference/softmax.h"

namespace qat::reference {

/// RoundingDivideByPOT of any exponent, as the processor shifts: modulo 32, by a mask that is modulo 64.
inline int32_t RoundingShiftRight(int32_t x, int exponent) {
  const auto mask = static_cast<int32_t>((uint64_t{1} << (exponent & 63)) - 1);
  const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> (exponent & 31)) + ((x & mask) > threshold ? 1 : 0);
}

/// a / b by the reciprocal of b. A quotient of less than about 2^-31 of the multiplier's steps is shifted by
/// more than 31 bits, which TFLite's kernel does not expect: it comes out large. A division by zero, where
/// TFLite stops with an error, gives zero.
/// Source    equal bit by bit to tflite/kernels/internal/reference/div.h.
struct QuantizedQuotient : QuantizedPair {
  FixedPointMultiplier multiplier;

  int32_t operator()(int32_t a, int32_t b) const {
    int32_t dividend = a - zero_point_a, divisor = b - zero_point_b;
    if (divisor == 0) return Clamp(0);
    if (divisor < 0) {
      dividend = -dividend;
      divisor = -divisor;
    }
    const int zeros = std::countl_zero(static_cast<uint32_t>(divisor));
    const auto fraction =
        static_cast<int32_t>((static_cast<uint32_t>(divisor) << zeros) - (uint32_t{1} << 31));
    const int headroom = HeadroomOf(dividend);
    const auto shifted = static_cast<int32_t>(static_cast<uint32_t>(dividend) << headroom);
    const int32_t quotient = SaturatingRoundingDoublingHighMul(shifted, OneOverOnePlus(fraction));
    const int32_t scaled = SaturatingRoundingDoublingHighMul(quotient, multiplier.multiplier);
    return Clamp(RoundingShiftRight(scaled, 31 - zeros + headroom - multiplier.shift));
  }

  /// How far a number goes to the left without losing a digit.
  static int HeadroomOf(int32_t value) {
    const auto size = static_cast<uint32_t>(value >= 0 ? value : -value);
    return value >= 0 ? std::countl_zero(size) - 1 : std::countl_zero(2 * size - 1);
  }
};

}  // namespace qat::reference

#endif  // QAT_RUNTIME_KERNELS_REFERENCE_QUOTIENT_H_
