#include "eval/regression.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "support/test_util.h"

namespace qat {
namespace {

float Normal(Random& random) {
  float sum = -6;
  for (int i = 0; i < 12; ++i) sum += random.Uniform();
  return sum;
}

TEST(MeasureErrors, OfAFewNumbersByHand) {
  const std::vector<float> answers = {1, 2, 3, 8}, numbers = {1, 4, 3, 4};
  const RegressionResult result = MeasureErrors(answers, numbers, 1);
  EXPECT_DOUBLE_EQ(result.all.rmse, std::sqrt(5.0));  // errors 0, -2, 0, 4
  EXPECT_DOUBLE_EQ(result.all.mae, 1.5);
  EXPECT_DOUBLE_EQ(result.all.largest, 4);
  EXPECT_NEAR(*result.all.r2, 1 - 20.0 / 6, 1e-12);  // around the mean 3: 4 + 1 + 0 + 1
  EXPECT_TRUE(result.targets.empty());
  EXPECT_FALSE(result.rmse_interval.has_value());
}

TEST(MeasureErrors, TellsTheNumbersOfAnImageApart) {
  const std::vector<float> answers = {1, 10, 2, 10, 3, 10}, numbers = {1, 11, 2, 12, 3, 13};
  const RegressionResult result = MeasureErrors(answers, numbers, 2);
  ASSERT_EQ(result.targets.size(), 2u);
  EXPECT_EQ(result.targets[0].rmse, 0);
  EXPECT_DOUBLE_EQ(*result.targets[0].r2, 1);
  EXPECT_DOUBLE_EQ(result.targets[1].rmse, std::sqrt(14.0 / 3));
  EXPECT_NEAR(*result.all.r2, 1 - 14.0 / 4, 1e-12) << "each number around its own mean";
}

// A kelvin and a ten-thousandth: in raw units only the first would count.
TEST(MeasureErrors, NumbersOfTheirOwnUnitsCountAlike) {
  Dataset dataset;
  dataset.task = Task::kNumbers;
  dataset.targets = 3;
  std::vector<float> small, answers;
  Random random(1);
  for (int i = 0; i < 200; ++i) {
    const float a = Normal(random), b = Normal(random);
    small.insert(small.end(), {300 + 20 * a, b / 10000, 7});
    answers.insert(answers.end(),
                   {300 + 20 * (a + 0.1f * Normal(random)), (b + 0.5f * Normal(random)) / 10000, 7.25f});
  }
  dataset.numbers = small;
  const std::vector<double> units = UnitsOf(dataset, small, {.mean = {0, 0, 0}, .std = {1, 1, 0.5f}});
  ASSERT_EQ(units.size(), 3u);
  EXPECT_EQ(units[2], 0.5) << "one that does not vary has the deviation that it was learned with";
  const RegressionResult result = MeasureErrors(answers, small, 3, units);
  double squares = 0, explained = 0;
  for (size_t i = 0; i < 3; ++i) squares += std::pow(result.targets[i].rmse / units[i], 2) / 3;
  for (size_t i = 0; i < 2; ++i) explained += *result.targets[i].r2 / 2;
  EXPECT_NEAR(*result.relative_rmse, std::sqrt(squares), 1e-12);
  EXPECT_NEAR(*result.all.r2, explained, 1e-12);
  EXPECT_TRUE(result.relative_interval->low < *result.relative_rmse &&
              *result.relative_rmse < result.relative_interval->high);
  // Twice the error of the small number has four times its square, and is invisible in raw units.
  std::vector<float> worse = answers;
  for (size_t i = 1; i < worse.size(); i += 3) worse[i] = small[i] + 2 * (worse[i] - small[i]);
  const double added = 3 * std::pow(result.targets[1].rmse / units[1], 2) / 3;
  const double expected = 100 * (std::sqrt(1 + added / squares) - 1);
  EXPECT_GT(expected, 5);
  EXPECT_NEAR(*CompareErrors(answers, worse, small, 3, 1, units).rise_pct, expected, 1e-3);
  EXPECT_NEAR(*CompareErrors(answers, worse, small, 3, 1).rise_pct, 0, 1e-6);
  dataset.targets = 1;
  EXPECT_TRUE(UnitsOf(dataset, small, {}).empty());
}

TEST(CompareErrors, TheWordFollowsTheIntervalBesideIt) {
  // Many images err a little more and a few much less: by the sign test b is worse, by the RMSE nobody can
  // tell.
  std::vector<float> a, b, numbers(100, 0.0f);
  for (int i = 0; i < 100; ++i) {
    a.push_back(i < 3 ? 30.0f : 1.0f);
    b.push_back(i < 3 ? 29.97f : 1.01f);
  }
  const ErrorComparison errors = CompareErrors(a, b, numbers, 1, 1);
  EXPECT_LT(errors.sign_p, 1e-6);
  EXPECT_TRUE(errors.rise_interval->low < 0 && errors.rise_interval->high > 0);
  EXPECT_FALSE(errors.resolved());
}

TEST(MeasureErrors, WithoutVarianceNothingIsExplained) {
  const std::vector<float> answers = {1, 2}, numbers = {3, 3};
  EXPECT_FALSE(MeasureErrors(answers, numbers, 1).all.r2.has_value());
}

TEST(MeasureErrors, TheIntervalCoversTheTrueErrorAsOftenAsItSays) {
  int covered = 0;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    Random random(seed);
    std::vector<float> answers, numbers(200, 0.0f);
    for (int i = 0; i < 200; ++i) answers.push_back(0.3f * Normal(random));
    const Interval interval = MeasureErrors(answers, numbers, 1).rmse_interval.value();
    covered += interval.low <= 0.3 && 0.3 <= interval.high;
  }
  EXPECT_NEAR(covered / 400.0, 0.95, 0.033);  // three standard errors
}

TEST(CompareErrors, FindsARiseAndItsInterval) {
  int covered = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    Random random(seed);
    std::vector<float> a, b, numbers(400, 0.0f);
    for (int i = 0; i < 400; ++i) {
      a.push_back(Normal(random));
      b.push_back(a.back() * 1.1f);
    }
    const ErrorComparison errors = CompareErrors(a, b, numbers, 1, seed);
    EXPECT_NEAR(*errors.rise_pct, 10, 1e-3);
    covered += errors.rise_interval->low <= 10.001 && 9.999 <= errors.rise_interval->high;
    EXPECT_EQ(errors.larger, 400);
    EXPECT_TRUE(errors.resolved());
  }
  EXPECT_EQ(covered, 100) << "both err on the same images: nothing of the rise is chance";
}

TEST(CompareErrors, OfEqualAnswersIsNothing) {
  const std::vector<float> a = {1, 2, 3}, numbers = {1, 2, 4};
  const ErrorComparison errors = CompareErrors(a, a, numbers, 1, 1);
  EXPECT_EQ(*errors.rise_pct, 0);
  EXPECT_EQ(errors.larger + errors.smaller, 0);
  EXPECT_EQ(errors.sign_p, 1);
  EXPECT_EQ(errors.rms_difference, 0);
  EXPECT_FALSE(CompareErrors(numbers, a, numbers, 1, 1).rise_pct.has_value())
      << "nothing rises by percent from 0";
}

TEST(CheckNumbers, AModelAnswersAsManyAsTheDataHave) {
  Dataset dataset;
  dataset.name = "ages";
  dataset.task = Task::kNumbers;
  dataset.targets = 1;
  dataset.numbers = {20, 30};
  Predictions predictions;
  predictions.classes = 1;
  predictions.scores.resize(2);
  EXPECT_TRUE(CheckNumbers("m.tflite", predictions, dataset).ok());
  predictions.classes = 10;
  predictions.scores.resize(20);
  QAT_EXPECT_ERROR(CheckNumbers("m.tflite", predictions, dataset), ErrorCode::kCorrupt,
                   "ages: labels are 1 real number per image, expected 10, as m.tflite answers");
  predictions.classes = 0;
  QAT_EXPECT_ERROR(CheckNumbers("m.tflite", predictions, dataset), ErrorCode::kCorrupt, "expected classes");
}

}  // namespace
}  // namespace qat
