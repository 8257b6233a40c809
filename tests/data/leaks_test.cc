#include "data/leaks.h"

#include <gtest/gtest.h>

namespace qat {
namespace {

using Strings = std::vector<std::string>;

// Examples of one byte each.
Dataset Of(const std::vector<uint8_t>& bytes) {
  Dataset data;
  data.name = "d";
  data.input().height = data.input().width = data.input().channels = 1;
  data.images = bytes;
  data.labels.assign(bytes.size(), 0);
  data.class_names = {"a"};
  return data;
}

HoldoutSplit Split(std::vector<int32_t> train, std::vector<int32_t> holdout) {
  return {std::move(train), std::move(holdout), ""};
}

TEST(KnownExamples, AreCountedInWhatIsHeldOutAndInTheTestSplit) {
  const Dataset train = Of({1, 2, 3, 4, 3, 5}), test = Of({1, 7, 3, 6});
  const std::string rest =
      " are trained on, too (the same inputs, byte for byte): figures of these tell what was learned by "
      "heart";
  EXPECT_EQ(KnownExamples(train, Split({0, 1, 2}, {4, 5}), test),
            (Strings{"1 of 2 examples held out" + rest, "2 of 4 test examples" + rest}));
  EXPECT_EQ(KnownExamples(train, Split({1, 3}, {}), test), Strings());
}

TEST(KnownExamples, AFewOfManyAreNotTold) {
  std::vector<uint8_t> bytes(101, 9);
  bytes[0] = 1;
  EXPECT_TRUE(KnownExamples(Of({1, 2}), Split({0, 1}, {}), Of(bytes)).empty());
  bytes[1] = 2;
  EXPECT_EQ(KnownExamples(Of({1, 2}), Split({0, 1}, {}), Of(bytes)).size(), 1u);
}

TEST(KnownExamples, RowsOfFewValuesAreAlikeByNature) {
  const Dataset train = Of({1, 2, 1, 2, 1, 2, 1, 2});
  EXPECT_EQ(KnownExamples(train, Split({0, 1, 2, 3}, {4, 5, 6, 7}), train), Strings());
}

}  // namespace
}  // namespace qat
