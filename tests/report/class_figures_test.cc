#include "report/class_figures.h"

#include <gtest/gtest.h>

namespace qat {
namespace {

// 4 of 100 images are positive; the model never says so.
const std::vector<ClassCount> kHidden = {{96, 96, 100}, {0, 4, 0}};

TEST(ClassFigures, BalancedAccuracyShowsWhatAccuracyHides) {
  EXPECT_DOUBLE_EQ(*BalancedAccuracyOf(kHidden), 50);
  EXPECT_DOUBLE_EQ(*BalancedAccuracyOf({{3, 4, 3}, {1, 2, 2}, {0, 0, 1}}), 62.5);
  EXPECT_FALSE(BalancedAccuracyOf({{0, 0, 5}}).has_value());
}

TEST(ClassFigures, AClassWithoutImagesHasNoRecallAndIsNotTheWorst) {
  EXPECT_FALSE(RecallOf({0, 0, 3}).has_value());
  EXPECT_EQ(WorstClassOf({{0, 0, 0}, {9, 10, 9}, {5, 10, 5}, {1, 2, 1}}), 2u);
  EXPECT_FALSE(WorstClassOf({{0, 0, 0}}).has_value());
}

TEST(ClassFigures, ComeFromTheConfusionMatrixOfAnOlderReport) {
  ClassificationResult result;
  result.confusion = {{5, 1, 0}, {2, 2, 0}, {0, 3, 0}};
  const auto counts = ClassCountsOf(result);
  ASSERT_EQ(counts.size(), 3u);
  EXPECT_EQ(counts[1].correct, 2);
  EXPECT_EQ(counts[1].total, 4);
  EXPECT_EQ(counts[1].answers, 6);
  EXPECT_EQ(counts[2].answers, 0);
}

TEST(ClassFigures, ChanceIsWithinTheInterval) {
  EXPECT_TRUE(IsAtChance(kHidden)) << "one answer for everything is guessing";
  EXPECT_TRUE(IsAtChance({{52, 100, 100}, {55, 100, 100}}));    // 53.5 +- 6.9
  EXPECT_FALSE(IsAtChance({{60, 100, 105}, {55, 100, 95}}));    // 57.5 +- 6.9
  EXPECT_FALSE(IsAtChance({{960, 960, 980}, {20, 40, 20}}));    // rare class half recognized
  EXPECT_FALSE(IsAtChance({{3, 10, 10}})) << "one class tells nothing";
}

}  // namespace
}  // namespace qat
