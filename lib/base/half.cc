#include "base/half.h"

#include <bit>

namespace qat {

uint16_t HalfBits(float value) {
  constexpr uint32_t kInfinity = 0x7C00;
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return static_cast<uint16_t>(sign | kInfinity | 0x200);
  // 65520, halfway between the largest float16 and the power of two behind it.
  if (magnitude >= 0x477FF000) return static_cast<uint16_t>(sign | kInfinity);
  uint32_t kept = 0, rest = 0, tie = 0;
  if (magnitude >= 0x38800000) {  // 2^-14: normal
    kept = (magnitude - 0x38000000) >> 13;
    rest = magnitude & 0x1FFF;
    tie = 0x1000;
  } else {
    const uint32_t exponent = magnitude >> 23;
    const uint32_t shift = 126 - exponent;  // units of 2^-24 from a significand of 24 bits
    if (shift > 24) return sign;            // under half of the smallest
    const uint32_t significand = (magnitude & 0x7FFFFF) | 0x800000;
    kept = shift == 24 ? 0 : significand >> shift;
    rest = significand & ((uint32_t{1} << shift) - 1);
    tie = uint32_t{1} << (shift - 1);
  }
  const bool up = rest > tie || (rest == tie && (kept & 1) != 0);
  return static_cast<uint16_t>(sign | (kept + (up ? 1 : 0)));
}

}  // namespace qat
