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

TEST(ClassFigures, TellChanceFromAModel) {
  EXPECT_TRUE(IsAtChance({{96, 96, 100}, {0, 40, 36}}, 136)) << "answers that do not depend on the image";
  EXPECT_TRUE(IsAtChance({{960, 960, 1000}, {0, 40, 0}}, 1000)) << "96 % that say nothing";
  EXPECT_TRUE(IsAtChance({{200, 200, 400}, {0, 200, 0}}, 400)) << "one answer for all";
  EXPECT_TRUE(IsAtChance({{103, 200, 202}, {101, 200, 198}}, 400)) << "coins";
  EXPECT_TRUE(IsAtChance({{20, 60, 60}, {20, 60, 60}, {20, 60, 60}}, 180))
      << "a third in each of three classes";
  EXPECT_FALSE(IsAtChance({{120, 200, 200}, {120, 200, 200}}, 400)) << "60 % are better than 50 %";
  EXPECT_FALSE(IsAtChance({{2900, 5000, 5000}, {2900, 5000, 5000}}, 10000)) << "58 % on a hard problem";
  EXPECT_FALSE(IsAtChance({{900, 960, 920}, {20, 40, 80}}, 1000)) << "half of the rare class is found";
  EXPECT_FALSE(IsAtChance({{400, 400, 400}}, 400)) << "one class alone";
  EXPECT_FALSE(IsAtChance({{200, 200, std::nullopt}, {0, 200, std::nullopt}}, 400))
      << "answers are not known";
}

TEST(ClassFigures, AFewImagesProveNoChance) {
  EXPECT_FALSE(IsAtChance({{14, 14, 28}, {0, 14, 0}}, 28));
  EXPECT_TRUE(IsAtChance({{15, 15, 30}, {0, 15, 0}}, 30));
  EXPECT_FALSE(IsAtChance({{200, 200, 400}, {0, 200, 0}}, 2)) << "two images of 200 pixels";
  std::vector<ClassCount> ten(10, {0, 1, 0});
  ten[0] = {1, 1, 10};
  EXPECT_FALSE(IsAtChance(ten, 10)) << "one image of each class";
}

// A hundred classes with five images each: 3 % are 15 images right where guessing has 5, ever less than once
// in 1,000 sets.
TEST(ClassFigures, ManyClassesAreToldFromGuessingOnFiveImagesEach) {
  std::vector<ClassCount> counts(100, {0, 5, 5});
  for (size_t label = 0; label < 5; ++label) counts[label].correct = 1;
  EXPECT_TRUE(IsAtChance(counts, 500)) << "1 %";
  for (size_t label = 0; label < 15; ++label) counts[label].correct = 1;
  EXPECT_FALSE(IsAtChance(counts, 500)) << "3 %";
}

TEST(ClassFigures, FindTheClassThatIsNeverAnswered) {
  EXPECT_EQ(NeverAnswered({{384, 384, 400}, {0, 16, 0}}), (std::vector<size_t>{1}));
  EXPECT_TRUE(NeverAnswered({{384, 384, 399}, {1, 16, 1}}).empty());
  EXPECT_TRUE(NeverAnswered({{40, 40, 45}, {0, 5, 0}}).empty()) << "a few images";
  EXPECT_TRUE(NeverAnswered({{40, 40, 40}}).empty()) << "one class alone";
}

}  // namespace
}  // namespace qat
