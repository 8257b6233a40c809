#include "quant/fixed_point.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "base/random.h"

namespace qat {
namespace {

constexpr int32_t kLowest = std::numeric_limits<int32_t>::min();
constexpr int32_t kHighest = std::numeric_limits<int32_t>::max();
__extension__ using Wide = __int128;

// Oracles: the exact quotient in 128 bits, and a rounding that is written down rather than implied by shifts.
Wide FloorDivide(Wide numerator, Wide denominator) {
  const Wide quotient = numerator / denominator;
  return quotient - (numerator % denominator < 0 ? 1 : 0);
}
Wide NearestTiesUp(Wide numerator, Wide denominator) {
  return FloorDivide(2 * numerator + denominator, 2 * denominator);
}
Wide NearestTiesAway(Wide numerator, Wide denominator) {
  return numerator < 0 ? -NearestTiesUp(-numerator, denominator) : NearestTiesUp(numerator, denominator);
}

// Any int32, often one at a border: half the values are within 8 of a power of two.
int32_t AnyInt32(Random& random) {
  if (random.Below(2) == 0) return static_cast<int32_t>(random.Next());
  const int64_t power = int64_t{1} << random.Below(32);
  const int64_t value = (random.Below(2) == 0 ? power : -power) + random.Between(-8, 8);
  return static_cast<int32_t>(static_cast<uint32_t>(value));
}

TEST(QuantizeMultiplier, EqualsTflitesGoldens) {
  const struct {
    double real;
    FixedPointMultiplier expected;
  } kRows[] = {
      {0.007247427341846, {1992157658, -7}},
      {2.0, {1073741824, 2}},
      {1.0, {1073741824, 1}},
      {1.5, {1610612736, 1}},
      {0.5, {1073741824, 0}},
      {3e-4, {1319413953, -11}},
      {0.25, {1073741824, -1}},
      {1e-10, {0, 0}},
      {3.999999999, {2147483647, 2}},
      {0.99999999999, {1073741824, 1}},
      {0.0, {0, 0}},
  };
  for (const auto& row : kRows) {
    const FixedPointMultiplier made = QuantizeMultiplier(row.real);
    EXPECT_EQ(made.multiplier, row.expected.multiplier) << row.real;
    EXPECT_EQ(made.shift, row.expected.shift) << row.real;
  }
}

TEST(QuantizeMultiplier, IsWithinHalfAUnitOf31Bits) {
  Random random(11);
  for (int i = 0; i < 200000; ++i) {
    const double real = std::ldexp(0.5 + random.Uniform() / 2, random.Between(-30, 30));
    const FixedPointMultiplier m = QuantizeMultiplier(real);
    ASSERT_GE(m.multiplier, 1 << 30);
    const double back = std::ldexp(static_cast<double>(m.multiplier), m.shift - 31);
    ASSERT_LE(std::abs(back - real), std::ldexp(0.5, m.shift - 31)) << real;
  }
}

// As TFLite's LEAKY_RELU with a negative slope has it.
TEST(QuantizeMultiplier, OfANegativeNumberIsThatOfItsMagnitudeNegated) {
  for (const double real : {0.3, 0.5, 0.123456789, 3.75, 1e-9}) {
    const FixedPointMultiplier of = QuantizeMultiplier(real), negated = QuantizeMultiplier(-real);
    EXPECT_EQ(negated.multiplier, -of.multiplier) << real;
    EXPECT_EQ(negated.shift, of.shift) << real;
  }
  EXPECT_EQ(MultiplyByQuantizedMultiplier(100, QuantizeMultiplier(-0.25)), -25);
}

TEST(QuantizeMultiplier, KeepsTheShiftLegalAtBothEnds) {
  EXPECT_EQ(QuantizeMultiplier(std::ldexp(1, -33)), (FixedPointMultiplier{0, 0}));
  EXPECT_EQ(QuantizeMultiplier(std::ldexp(1, -32)), (FixedPointMultiplier{1 << 30, -31}));
  EXPECT_EQ(QuantizeMultiplier(std::ldexp(1, 29)), (FixedPointMultiplier{1 << 30, 30}));
  EXPECT_EQ(QuantizeMultiplier(std::ldexp(1, 30)), (FixedPointMultiplier{kHighest, 30}));
  EXPECT_EQ(QuantizeMultiplier(1e300), (FixedPointMultiplier{kHighest, 30}));
}

TEST(SaturatingRoundingDoublingHighMul, IsTheExactProductRoundedTiesUp) {
  Random random(12);
  for (int i = 0; i < 2000000; ++i) {
    const int32_t a = AnyInt32(random);
    const int32_t b = AnyInt32(random);
    Wide expected = NearestTiesUp(Wide{a} * b, Wide{1} << 31);
    if (expected > kHighest) expected = kHighest;
    ASSERT_EQ(SaturatingRoundingDoublingHighMul(a, b), static_cast<int32_t>(expected)) << a << " * " << b;
  }
}

TEST(SaturatingRoundingDoublingHighMul, SaturatesTheOneProductThatDoesNotFit) {
  EXPECT_EQ(SaturatingRoundingDoublingHighMul(kLowest, kLowest), kHighest);
  EXPECT_EQ(SaturatingRoundingDoublingHighMul(kLowest, kHighest), -kHighest);
  EXPECT_EQ(SaturatingRoundingDoublingHighMul(1 << 30, 1), 1) << "a tie";
  EXPECT_EQ(SaturatingRoundingDoublingHighMul(-(1 << 30), 1), 0) << "a tie goes up";
}

TEST(RoundingDivideByPOT, IsTheExactQuotientRoundedTiesAwayFromZero) {
  Random random(13);
  for (int i = 0; i < 2000000; ++i) {
    const int32_t x = AnyInt32(random);
    const int exponent = random.Between(0, 31);
    const Wide expected = NearestTiesAway(x, Wide{1} << exponent);
    ASSERT_EQ(RoundingDivideByPOT(x, exponent), static_cast<int32_t>(expected)) << x << " / 2^" << exponent;
  }
}

TEST(MultiplyByQuantizedMultiplier, RoundsTwiceAtOneEighth) {
  // Beside them what one rounding with ties up gives: -2, -1, 0, 1, 2, 3.
  const FixedPointMultiplier eighth = QuantizeMultiplier(0.125);
  ASSERT_EQ(eighth, (FixedPointMultiplier{1 << 30, -2}));
  const std::array<int32_t, 6> accs = {-20, -12, -4, 4, 12, 20};
  const std::array<int32_t, 6> expected = {-3, -2, -1, 1, 2, 3};
  for (size_t i = 0; i < accs.size(); ++i)
    EXPECT_EQ(MultiplyByQuantizedMultiplier(accs[i], eighth), expected[i]);
}

TEST(MultiplyByQuantizedMultiplier, StaysWithinItsTwoRoundingErrors) {
  // |error| <= 1/2 of the last rounding + 1/2 of the first one scaled by the right shift.
  Random random(14);
  for (int i = 0; i < 1000000; ++i) {
    const FixedPointMultiplier m = {random.Between(1 << 30, kHighest), random.Between(-20, 0)};
    const int32_t acc = random.Between(-(1 << 24), 1 << 24);
    const long double exact = std::ldexp(static_cast<long double>(acc) * m.multiplier, m.shift - 31);
    const long double bound = 0.5L + std::ldexp(0.5L, m.shift);
    ASSERT_LE(std::abs(MultiplyByQuantizedMultiplier(acc, m) - exact), bound) << acc << ' ' << m.shift;
  }
}

TEST(MultiplyByQuantizedMultiplier, ShiftsLeftBeforeMultiplying) {
  EXPECT_EQ(MultiplyByQuantizedMultiplier(3, QuantizeMultiplier(1.5)), 5);  // 4.5, a tie
  EXPECT_EQ(MultiplyByQuantizedMultiplier(-3, QuantizeMultiplier(1.5)), -4);
  EXPECT_EQ(MultiplyByQuantizedMultiplier(7, QuantizeMultiplier(1024)), 7168);
  EXPECT_EQ(MultiplyByQuantizedMultiplier(123456, {}), 0);
}

}  // namespace
}  // namespace qat
