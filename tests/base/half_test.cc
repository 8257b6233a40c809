#include "base/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace qat {
namespace {

// What the bits stand for, by their definition.
double ValueOf(uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

TEST(Half, KeepsEveryHalf) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    if ((bits >> 10 & 31) == 31) continue;  // infinity, NaN
    EXPECT_EQ(HalfBits(static_cast<float>(ValueOf(static_cast<uint16_t>(bits)))), bits);
  }
}

// The definition: no other half is nearer, and of two equally near ones it is the even one.
TEST(Half, IsTheNearestWithTiesToEven) {
  for (uint32_t low = 0; low < 0x7BFF; ++low) {
    const double a = ValueOf(static_cast<uint16_t>(low)), b = ValueOf(static_cast<uint16_t>(low + 1));
    const auto middle = static_cast<float>((a + b) / 2);  // exact: one bit more than a half
    const uint32_t even = low % 2 == 0 ? low : low + 1;
    EXPECT_EQ(HalfBits(middle), even) << middle;
    EXPECT_EQ(HalfBits(-middle), even | 0x8000) << middle;
    EXPECT_EQ(HalfBits(std::nextafter(middle, 0.0f)), low) << middle;
    EXPECT_EQ(HalfBits(std::nextafter(middle, 1e9f)), low + 1) << middle;
  }
}

TEST(Half, ReachesItsEnds) {
  EXPECT_EQ(HalfBits(kLargestHalf), 0x7BFF);
  EXPECT_EQ(HalfBits(std::nextafter(65520.0f, 0.0f)), 0x7BFF);
  EXPECT_EQ(HalfBits(65520.0f), 0x7C00);
  EXPECT_EQ(HalfBits(-std::numeric_limits<float>::infinity()), 0xFC00);
  EXPECT_EQ(HalfBits(std::ldexp(1.0f, -25)), 0) << "a tie between 0 and the smallest";
  EXPECT_EQ(HalfBits(std::nextafter(std::ldexp(1.0f, -25), 1.0f)), 1);
  EXPECT_EQ(HalfBits(std::numeric_limits<float>::denorm_min()), 0);
  EXPECT_EQ(HalfBits(std::numeric_limits<float>::quiet_NaN()) & 0x7C00, 0x7C00);
  EXPECT_NE(HalfBits(std::numeric_limits<float>::quiet_NaN()) & 0x3FF, 0);
}

}  // namespace
}  // namespace qat
