#include "data/digits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "data/digit_strokes.h"

namespace qat {
namespace {

TEST(Digits, AreBalancedAndShuffled) {
  const Dataset data = MakeDigits(Split::kTest, 1000);
  for (int32_t digit = 0; digit < 10; ++digit) {
    EXPECT_EQ(std::count(data.labels.begin(), data.labels.end(), digit), 100);
  }
  std::set<std::vector<int32_t>> orders;
  for (size_t i = 0; i < 1000; i += 10) {
    orders.insert({data.labels.begin() + static_cast<ptrdiff_t>(i),
                   data.labels.begin() + static_cast<ptrdiff_t>(i + 10)});
  }
  EXPECT_EQ(orders.size(), 100u) << "no two of 100 blocks have one order (10! orders exist)";
}

TEST(Digits, AnImageDependsOnItsIndexAndNotOnTheCount) {
  const Dataset few = MakeDigits(Split::kTrain, 7);
  const Dataset more = MakeDigits(Split::kTrain, 50);
  EXPECT_TRUE(std::equal(few.images.begin(), few.images.end(), more.images.begin()));
  EXPECT_TRUE(std::equal(few.labels.begin(), few.labels.end(), more.labels.begin()));
}

TEST(Digits, DifferBetweenSplitsSeedsAndImages) {
  const Dataset train = MakeDigits(Split::kTrain, 500);
  EXPECT_NE(train.images, MakeDigits(Split::kTest, 500).images);
  EXPECT_NE(train.images, MakeDigits(Split::kTrain, 500, 7).images);
  std::set<std::vector<uint8_t>> distinct;
  for (int64_t i = 0; i < train.size(); ++i) distinct.insert({train.Image(i).begin(), train.Image(i).end()});
  EXPECT_EQ(distinct.size(), 500u);
}

// MNIST's training set has a mean of 33.3 and 19 % of its pixels above 0; a picture without ink, or full of
// it, would be no digit.
TEST(Digits, HaveTheInkOfHandwriting) {
  const Dataset data = MakeDigits(Split::kTrain, 2000);
  int64_t total = 0;
  for (int64_t i = 0; i < data.size(); ++i) {
    int64_t sum = 0;
    for (const uint8_t pixel : data.Image(i)) sum += pixel;
    EXPECT_GT(sum, 784 * 4) << i;
    EXPECT_LT(sum, 784 * 110) << i;
    total += sum;
  }
  const double mean = static_cast<double>(total) / static_cast<double>(data.images.size());
  EXPECT_GT(mean, 25);
  EXPECT_LT(mean, 40);
}

// The same bytes on every machine and for every compiler: what was published with them can be made again.
TEST(Digits, NeverChange) {
  EXPECT_EQ(*Fingerprint(MakeDigits(Split::kTrain, kDigitsTrainSize)),
            "3fd848058de6fd11dd4ca5cbc721386c0c42fe2d0b51e0d35bb006d45501919a");
  EXPECT_EQ(*Fingerprint(MakeDigits(Split::kTest, kDigitsTestSize)),
            "696244f5cff640572e3aaa60ece89979d94abd321056f9aceedb2fe15826797e");
}

TEST(DigitStrokes, StayInTheirBoxAndHaveSeveralStyles) {
  for (int32_t digit = 0; digit < 10; ++digit) {
    EXPECT_GE(StylesOf(digit).size(), 3u);
    for (const DigitStyle& style : StylesOf(digit)) {
      for (const Stroke& stroke : style) {
        EXPECT_GE(stroke.size(), 2u);
        for (const StrokePoint& point : stroke) {
          EXPECT_TRUE(point.x >= 0 && point.x <= 100 && point.y >= 0 && point.y <= 100) << digit;
        }
      }
    }
  }
}

}  // namespace
}  // namespace qat
