#include "contract/unlikely_units.h"

#include <gtest/gtest.h>

namespace qat {
namespace {

TEST(UnlikelyUnits, NamesTheNumbersThatAreLikelyMeant) {
  const Contract imagenet(224, 224, 3, {0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}, {});
  EXPECT_EQ(UnlikelyUnits(imagenet),
            "`std` is below 1, but real = (byte - mean) / std of bytes from 0 to 255: numbers for values "
            "from 0 to 1 "
            "become mean 123.675,116.28,103.53 and std 58.395,57.12,57.375");
}

TEST(UnlikelyUnits, SayNothingOfUsualOnesAndOfRealNumbers) {
  EXPECT_EQ(UnlikelyUnits(Contract(8, 8, 1, {0}, {1}, {})), "") << "bytes as they are";
  EXPECT_EQ(UnlikelyUnits(Contract(8, 8, 1, {0}, {255}, {})), "");
  EXPECT_EQ(UnlikelyUnits(Contract(8, 8, 3, {123, 117, 104}, {1, 1, 1}, {})), "");
  Contract reals(1, 1, 2, {0.5f, 0.5f}, {0.1f, 0.2f}, {});
  reals.input().values = ValueType::kReal;
  EXPECT_EQ(UnlikelyUnits(reals), "");
}

}  // namespace
}  // namespace qat
