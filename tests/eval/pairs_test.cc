#include "eval/pairs.h"

#include <gtest/gtest.h>

#include <vector>

namespace qat {
namespace {

Predictions Of(std::vector<int32_t> labels, std::vector<float> scores = {}, float step = 0) {
  Predictions predictions;
  predictions.classes = scores.empty() ? 0 : static_cast<int32_t>(scores.size() / labels.size());
  predictions.labels = std::move(labels);
  predictions.scores = std::move(scores);
  predictions.step = step;
  return predictions;
}

/// Of one label per image.
PairResult Compared(const Predictions& a, const Predictions& b, std::span<const int32_t> labels) {
  return ComparePair("a", a, "b", b, labels, static_cast<int64_t>(labels.size()));
}

TEST(ComparePair, CountsFlipsBetweenTwoWrongLabelsInTheTotalOnly) {
  //                       right->wrong, wrong->right, wrong->other wrong, both right
  const auto pair = Compared(Of({0, 5, 6, 3}), Of({9, 1, 7, 3}), std::vector<int32_t>{0, 1, 2, 3});
  EXPECT_EQ(pair.right_to_wrong, 1);
  EXPECT_EQ(pair.wrong_to_right, 1);
  EXPECT_EQ(pair.total_flips, 3);
  EXPECT_EQ(pair.drop_pt, 0);
}

TEST(ComparePair, DropIsPositiveWhereTheSecondIsWorse) {
  const std::vector<int32_t> labels = {0, 1, 2, 3};
  EXPECT_DOUBLE_EQ(Compared(Of({0, 1, 2, 3}), Of({0, 1, 2, 4}), labels).drop_pt, 25);
  EXPECT_DOUBLE_EQ(Compared(Of({0, 1, 2, 4}), Of({0, 1, 2, 3}), labels).drop_pt, -25);
}

TEST(ComparePair, SixErrorsMoreAndNoneFewerAreADifferenceFiveAreNot) {
  const std::vector<int32_t> labels(100, 0), right(100, 0);
  std::vector<int32_t> wrong = right;
  for (size_t i = 0; i < 5; ++i) wrong[i] = 1;
  const auto five = Compared(Of(right), Of(wrong), labels);
  EXPECT_NEAR(five.mcnemar_p.value(), 2.0 / 32, 1e-12);
  EXPECT_FALSE(five.resolved());
  EXPECT_EQ(five.drop_interval->low, 0)
      << "Newcombe's is 0.34, and nobody should read both beside each other";
  wrong[5] = 1;
  const auto six = Compared(Of(right), Of(wrong), labels);
  EXPECT_TRUE(six.resolved());
  EXPECT_LT(six.drop_interval->low, six.drop_pt);
  EXPECT_GT(six.drop_interval->high, six.drop_pt);
  EXPECT_GT(six.drop_interval->high, 6);  // points, not fractions
}

TEST(ComparePair, MeasuresStepsWhereBothHaveTheSameStep) {
  const auto a = Of({0}, {0.5f, 0.25f}, 0.25f);
  const auto b = Of({0}, {0.5f, -0.5f}, 0.25f);
  const auto pair = Compared(a, b, std::vector<int32_t>{0});
  EXPECT_EQ(pair.max_abs_lsb, 3);
  EXPECT_DOUBLE_EQ(pair.max_abs_error.value(), 0.75);
}

// Two images of three pixels with two numbers each.
TEST(CompareOutputs, CountsWholeImagesThatAreEqual) {
  const std::vector<float> numbers = {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6};
  Predictions a, b;
  a.classes = b.classes = 2;
  a.scores = b.scores = numbers;
  EXPECT_EQ(CompareOutputs("a", a, "b", b, 2).equal_outputs, 2);
  b.scores[11] = 7;
  EXPECT_EQ(CompareOutputs("a", a, "b", b, 2).equal_outputs, 1);
}

TEST(ComparePair, AFloatOutputOrAnotherStepHasNoDistanceInSteps) {
  const auto quantized = Of({0}, {0.5f, 0.25f}, 0.25f);
  const std::vector<int32_t> labels = {0};
  EXPECT_FALSE(Compared(quantized, Of({0}, {0.5f, 0.25f}, 0.125f), labels).max_abs_lsb.has_value());
  const auto against_float = Compared(quantized, Of({0}, {0.5f, 0.125f}), labels);
  EXPECT_FALSE(against_float.max_abs_lsb.has_value());
  EXPECT_DOUBLE_EQ(against_float.max_abs_error.value(), 0.125);
}

// Two numbers of an image: the second, in ten-thousandths, is farther off in its own measure.
TEST(TellInUnits, NamesTheNumberThatDiffersMostAndTellsItInItsUnit) {
  const std::vector<double> differences = {0.5, 0.0001, 3, 0.0004, 1, 0}, units = {20, 0.0008};
  PairResult pair;
  pair.max_abs_error = 0.5;
  TellInUnits(differences, 2, units, pair);
  EXPECT_EQ(pair.max_abs_error, 0.0004);
  EXPECT_EQ(pair.max_abs_error_number, 1);
  TellInUnits(differences, 2, {}, pair);
  EXPECT_EQ(pair.max_abs_error, 3) << "of one unit the largest";
  PairResult equal;
  equal.max_abs_error = 0;
  TellInUnits(differences, 2, units, equal);
  EXPECT_EQ(equal.max_abs_error, 0.0);
  EXPECT_FALSE(equal.max_abs_error_number.has_value());
}

TEST(ComparePair, AnArgmaxModelHasNoDistanceAtAll) {
  const auto pair = Compared(Of({0}), Of({1}, {0.5f, 0.75f}), std::vector<int32_t>{0});
  EXPECT_FALSE(pair.max_abs_error.has_value());
  EXPECT_EQ(pair.total_flips, 1);
}

}  // namespace
}  // namespace qat
