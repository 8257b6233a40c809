#include "eval/labels.h"

#include <cmath>

#include "report/label_figures.h"
#include "support/test_util.h"

namespace qat {
namespace {

using Scores = std::vector<double>;
using Labels = std::vector<int32_t>;

// Figures by scikit-learn 1.5: roc_auc_score and average_precision_score.
TEST(AucOf, IsTheShareOfPairsInOrder) {
  EXPECT_DOUBLE_EQ(*AucOf(Scores{0.1, 0.4, 0.35, 0.8}, Labels{0, 0, 1, 1}), 0.75);
  EXPECT_DOUBLE_EQ(*AucOf(Scores{1, 1, 1}, Labels{0, 1, 0}), 0.5) << "equal scores are half right";
  EXPECT_DOUBLE_EQ(*AucOf(Scores{3, 2, 1}, Labels{1, 0, kIgnoredLabel}), 1);
  EXPECT_DOUBLE_EQ(*AucOf(Scores{1, 2}, Labels{1, 0}), 0);
  EXPECT_FALSE(AucOf(Scores{1, 2}, Labels{1, 1}));
  EXPECT_FALSE(AucOf(Scores{1, 2}, Labels{0, 0}));
}

TEST(AveragePrecisionOf, IsTheMeanPrecisionAtEachPositive) {
  EXPECT_NEAR(*AveragePrecisionOf(Scores{0.1, 0.4, 0.35, 0.8}, Labels{0, 0, 1, 1}), 0.8333333333, 1e-9);
  EXPECT_DOUBLE_EQ(*AveragePrecisionOf(Scores{1, 1, 1, 1}, Labels{0, 1, 0, 0}), 0.25);
  EXPECT_FALSE(AveragePrecisionOf(Scores{1, 2}, Labels{0, 0}));
}

Predictions Answered(std::vector<float> scores, bool probabilities = false) {
  Predictions predictions;
  predictions.scores = std::move(scores);
  predictions.probabilities = probabilities;
  AnswerYesNo(predictions);
  return predictions;
}

TEST(AnswerYesNo, SplitsScoresAtZeroAndProbabilitiesAtAHalf) {
  EXPECT_EQ(Answered({-1, 0, 0.1f, 7}).labels, (Labels{0, 0, 1, 1}));
  EXPECT_EQ(Answered({0.1f, 0.5f, 0.6f}, true).labels, (Labels{0, 0, 1}));
  EXPECT_EQ(Answered({1, 2}).classes, 1);
}

TEST(JudgeLabels, CountsEachLabelAndWholeExamples) {
  // Three examples of two labels.
  const LabelsResult result = JudgeLabels(Answered({1, -1, 1, 2, -3, -1}), Labels{1, 0, 0, 1, 0, 1}, 2);
  EXPECT_EQ(result.examples, 3);
  EXPECT_EQ(result.exact, 1);
  ASSERT_EQ(result.labels.size(), 2u);
  EXPECT_EQ(result.labels[0].positives, 1);
  EXPECT_EQ(result.labels[0].answers, 2);
  EXPECT_EQ(result.labels[0].found, 1);
  EXPECT_DOUBLE_EQ(AccuracyOf(result.labels[0]), 200.0 / 3);
  EXPECT_DOUBLE_EQ(*PrecisionOf(result.labels[0]), 50);
  EXPECT_DOUBLE_EQ(*RecallOf(result.labels[1]), 50);
  EXPECT_DOUBLE_EQ(*F1Of(result.labels[0]), 200.0 / 3);
  EXPECT_DOUBLE_EQ(*MeanF1(result), 200.0 / 3);
  EXPECT_DOUBLE_EQ(*PooledF1(result), 200.0 / 3);
  EXPECT_DOUBLE_EQ(*result.labels[1].auc, 0.75) << "of pairs, one is equal";
  EXPECT_DOUBLE_EQ(ExactMatch(result), 100.0 / 3);
}

TEST(JudgeLabels, OfALabelThatNobodyHasHasNoFigures) {
  const LabelsResult result = JudgeLabels(Answered({-1, -2}), Labels{0, 0}, 1);
  EXPECT_FALSE(F1Of(result.labels[0]));
  EXPECT_FALSE(result.labels[0].auc);
  EXPECT_FALSE(MeanAveragePrecision(result));
  EXPECT_DOUBLE_EQ(AccuracyOf(result.labels[0]), 100);
}

TEST(LabelsDifferP, ComparesImagesNotLabels) {
  const Labels labels(20, 1);  // ten images of two labels
  const Predictions right = Answered(std::vector<float>(20, 1)), wrong = Answered(std::vector<float>(20, -1));
  EXPECT_DOUBLE_EQ(LabelsDifferP(right, right, labels, 2), 1);
  EXPECT_DOUBLE_EQ(LabelsDifferP(right, wrong, labels, 2), std::pow(0.5, 9))
      << "ten images, not twenty labels";
}

TEST(JudgeAnomalies, ScoresByTheErrorInDeviations) {
  // Two values an example, of which the second has a deviation of 100: its error of 10 is smaller than one of
  // 1.
  const std::vector<float> numbers(8, 0), answers = {0.1f, 0, 0, 10, 1, 0, 2, 0}, std = {1, 100};
  const auto result = JudgeAnomalies(answers, numbers, std, Labels{0, 0, 1, 1});
  ASSERT_TRUE(result);
  EXPECT_DOUBLE_EQ(result->auc, 1);
  EXPECT_EQ(result->normal, 2);
  EXPECT_EQ(result->anomalous, 2);
  EXPECT_LT(JudgeAnomalies(answers, numbers, {}, Labels{0, 0, 1, 1})->auc, 1)
      << "without deviations, 10 is the largest";
  EXPECT_FALSE(JudgeAnomalies(answers, numbers, std, Labels{0, 0, 0, 0}));
  EXPECT_FALSE(JudgeAnomalies(answers, numbers, std, Labels{1, 1, 1, 1}));
  EXPECT_FALSE(JudgeAnomalies(answers, numbers, std, {}));
}

}  // namespace
}  // namespace qat
