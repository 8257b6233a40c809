// half.h: IEEE 754 half precision (binary16), as bits, to and from float.
#ifndef QAT_BASE_HALF_H_
#define QAT_BASE_HALF_H_

#include <bit>
#include <cstdint>

namespace qat {

/// Exact for every half; a NaN keeps its sign and the bits of its payload.
inline float HalfToFloat(uint16_t half) {
  const uint32_t sign = uint32_t{half} >> 15 << 31;
  const uint32_t exponent = half >> 10 & 0x1f;
  const uint32_t mantissa = half & 0x3ff;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000 | mantissa << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
  const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
  return sign != 0 ? -magnitude : magnitude;
}

/// The largest finite half.
inline constexpr float kLargestHalf = 65504;
/// The least with all of its 11 digits; halves below it lose one with every factor of 2.
inline constexpr float kLeastNormalHalf = 0x1p-14f;

/// The bits of the nearest half, ties to even; magnitudes from 65520 on become infinity, NaN stays NaN.
uint16_t HalfBits(float value);

}  // namespace qat

#endif  // QAT_BASE_HALF_H_
