#include "train/modules/fixed_point_functions.h"

#include <algorithm>
#include <array>
#include <bit>

namespace qat::functional {
namespace {

// exp(x) - 1 + 1 by a polynomial of degree 4 around -1/8. x in [-1/4, 0), Q0.31.
int32_t ExpOnLastQuarter(int32_t x) {
  constexpr int32_t kExpOfMinusEighth = 1895147668, kThird = 715827883;
  const int32_t y = x + (1 << 28);
  const int32_t y2 = HighMul(y, y);
  const int32_t y3 = HighMul(y2, y);
  const int32_t y4 = HighMul(y2, y2);
  const int32_t tail = RoundingDivideByPOT(HighMul(RoundingDivideByPOT(y4, 2) + y3, kThird) + y2, 1);
  return kExpOfMinusEighth + HighMul(kExpOfMinusEighth, y + tail);
}

int HeadroomOf(int32_t x) { return std::countl_zero(static_cast<uint32_t>(x)); }

}  // namespace

int32_t SaturatingShiftLeft(int32_t x, int bits) {
  return static_cast<int32_t>(std::clamp<int64_t>(int64_t{x} << bits, -int64_t{kLargest} - 1, kLargest));
}

int32_t ExpOfNegative(int32_t z) {
  if (z == 0) return kLargest;
  constexpr int32_t kQuarter = 1 << 24;
  constexpr std::array<int32_t, 7> kFactors = {1672461947, 1302514674, 790015084, 290630308,
                                               39332535,   720401,     242};
  const int32_t last_quarter = (z & (kQuarter - 1)) - kQuarter;
  int32_t result = ExpOnLastQuarter(SaturatingShiftLeft(last_quarter, 5));
  const int32_t digits = last_quarter - z;
  for (size_t k = 0; k < kFactors.size(); ++k) {
    if ((digits >> (24 + k) & 1) != 0) result = HighMul(result, kFactors[k]);
  }
  return result;
}

int32_t ReciprocalOfOnePlus(int32_t x) {
  constexpr int32_t k48Over17 = 1515870810, kMinus32Over17 = -1010580540, kOne = 1 << 29;  // Q2.29
  const auto half = static_cast<int32_t>((int64_t{x} + kLargest + 1) / 2);
  int32_t y = k48Over17 + HighMul(half, kMinus32Over17);
  for (int step = 0; step < 3; ++step) {
    y += SaturatingShiftLeft(HighMul(y, kOne - HighMul(half, y)), 2);
  }
  return SaturatingShiftLeft(y, 1);
}

// x = r * 2^k with r around 2^(-1/4); ln(x) = k ln(2) + ln(r), the latter as a quotient of polynomials in r.
// Both ways to choose k, a quarter apart, are tried; the one with the smaller r counts.
int32_t LogOfAtLeastOne(int32_t x) {
  constexpr int kIntegerBits = 12, kScaleBits = 25;  // of x; of the sum, Q6.25
  constexpr int32_t kLog2 = 1488522236, kRootHalf = 1518500250, kFourthRootHalf = 1805811301;
  constexpr int32_t kAlphaN = 117049297, kAlphaD = 127690142, kAlphaI = 1057819769, kAlphaF = 638450708;
  constexpr int32_t kQuarter = 1 << (kScaleBits - 2);
  const int first_headroom = HeadroomOf(x);
  const int32_t first =
      SaturatingShiftLeft(HighMul(SaturatingShiftLeft(x, first_headroom - 1), kRootHalf), 1);
  const int32_t first_power = (kIntegerBits - first_headroom) * (1 << kScaleBits) + kQuarter;
  const int second_headroom = HeadroomOf(HighMul(x, kRootHalf)) - 1;
  const int32_t second = SaturatingShiftLeft(x, second_headroom);
  const int32_t second_power = (kIntegerBits - second_headroom) * (1 << kScaleBits) - kQuarter;
  const int32_t r = std::min(first, second);
  const int32_t power = std::max(first_power, second_power);
  const int64_t sum = int64_t{r} + kFourthRootHalf;
  const auto p = static_cast<int32_t>((sum + (sum >= 0 ? 1 : -1)) / 2);
  const int32_t q = 2 * (r - kFourthRootHalf);
  const int32_t square = HighMul(q, q);
  const int32_t numerator = HighMul(q, r) + HighMul(HighMul(q, square), kAlphaN);
  const int32_t denominator = HighMul(p, kAlphaI + q + HighMul(kAlphaD, square)) + HighMul(kAlphaF, q);
  const int32_t log_of_r = HighMul(RoundingDivideByPOT(numerator, 6), ReciprocalOfOnePlus(denominator));
  return SaturatingShiftLeft(HighMul(power, kLog2) + log_of_r, 1);
}

// The whole number goes to [2^27, 2^29) by powers of 4, which are taken back as powers of 2 in the end.
FixedPointMultiplier InverseRoot(int32_t x) {
  if (x <= 1) return {kLargest, 0};
  constexpr int32_t kOne = 1 << 28, kThreeHalves = 3 << 27, kRootHalf = 1518500250;
  int right = 11;
  for (; x >= 1 << 29; x /= 4) ++right;
  for (; x < 1 << 27; x *= 4) --right;
  const int32_t value = x / 2;
  const int32_t half = RoundingDivideByPOT(value, 1);
  int32_t y = kOne;
  for (int step = 0; step < 5; ++step) {
    const int32_t cube = SaturatingShiftLeft(HighMul(HighMul(y, y), y), 6);
    y = SaturatingShiftLeft(HighMul(kThreeHalves, y) - HighMul(half, cube), 3);
  }
  y = HighMul(y, kRootHalf);
  return right < 0 ? FixedPointMultiplier{y << -right, 0} : FixedPointMultiplier{y, -right};
}

}  // namespace qat::functional
