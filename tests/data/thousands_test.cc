#include "data/thousands.h"

#include <gtest/gtest.h>

namespace qat {
namespace {

TEST(IsInThousands, AreThreeDigitsBehindEachSign) {
  for (const char* text : {"1,234", "-12.345", "+123 456", "1'234'567", "1_000"}) {
    EXPECT_TRUE(IsInThousands(text)) << text;
  }
  for (const char* text :
       {"1234", "1,23", "1,2345", "0.123", "1234,567", "1,234.567", ",123", "1,234,", "", "-"}) {
    EXPECT_FALSE(IsInThousands(text)) << text;
  }
  EXPECT_EQ(WithoutThousands("-1'234'567"), "-1234567");
}

bool Found(const std::vector<std::pair<const char*, double>>& cells) {
  ThousandsCheck check;
  for (const auto& [cell, value] : cells) check.Add(cell, value);
  return check.found();
}

TEST(ThousandsCheck, NeedsThreeOfThemAndOneBelowThem) {
  EXPECT_TRUE(Found({{"2.932", 2.932}, {"950", 950}, {"1.020", 1.02}, {"1.100", 1.1}}));
  EXPECT_FALSE(Found({{"2.932", 2.932}, {"950", 950}, {"1.020", 1.02}})) << "two may be chance";
  EXPECT_FALSE(Found({{"2.932", 2.932}, {"9.500", 9.5}, {"1.020", 1.02}})) << "every number has decimals";
  EXPECT_FALSE(Found({{"1.10", 1.1}, {"2.932", 2.932}, {"950", 950}, {"1.020", 1.02}, {"1.100", 1.1}}));
  EXPECT_FALSE(Found({{"1950", 1950}, {"2.932", 2.932}, {"950", 950}, {"1.020", 1.02}, {"1.100", 1.1}}));
}

}  // namespace
}  // namespace qat
