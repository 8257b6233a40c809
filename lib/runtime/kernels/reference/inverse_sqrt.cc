#include "runtime/kernels/reference/inverse_sqrt.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace qat::reference {
namespace {

int32_t Mul(int32_t a, int32_t b) { return SaturatingRoundingDoublingHighMul(a, b); }

int32_t SaturatingShiftLeft(int32_t value, int bits) {
  const int64_t shifted = int64_t{value} * (int64_t{1} << bits);
  return static_cast<int32_t>(
      std::clamp<int64_t>(shifted, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()));
}

// 1 / sqrt of twice a Q3.28 in [1/4, 4), as a Q3.28 that still wants a factor of sqrt(1/2).
int32_t NewtonSteps(int32_t input) {
  constexpr int32_t kOne = 1 << 28;
  constexpr int32_t kThreeHalves = kOne + kOne / 2;
  const int32_t half = RoundingDivideByPOT(input, 1);
  int32_t x = kOne;
  for (int i = 0; i < 5; ++i) {
    const int32_t cube = SaturatingShiftLeft(Mul(Mul(x, x), x), 6);
    x = SaturatingShiftLeft(Mul(kThreeHalves, x) - Mul(half, cube), 3);
  }
  return x;
}

}  // namespace

FixedPointMultiplier InverseSqrt(int32_t x) {
  if (x <= 1) return {std::numeric_limits<int32_t>::max(), 0};
  constexpr int32_t kHalfSqrt2 = 1518500250;  // Q0.31
  int right = 11;
  for (; x >= 1 << 29; x /= 4) ++right;
  const int pairs = (std::countl_zero(static_cast<uint32_t>(x)) - 1) / 2 - 1;
  right -= pairs;
  x <<= 2 * pairs;
  const int32_t result = Mul(NewtonSteps(x >> 1), kHalfSqrt2);
  return right < 0 ? FixedPointMultiplier{result << -right, 0} : FixedPointMultiplier{result, -right};
}

}  // namespace qat::reference
