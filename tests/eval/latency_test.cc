#include "eval/latency.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "eval/fake_predictor.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::FakePredictor;
using testing::TinyContract;
using testing::TinyDataset;

TEST(SummarizeLatency, TakesPercentilesByNearestRank) {
  std::vector<float> times(100);
  std::iota(times.begin(), times.end(), 1.0f);  // 1 … 100
  std::reverse(times.begin(), times.end());
  const LatencyResult result = SummarizeLatency(times);
  EXPECT_EQ(result.min, 1);
  EXPECT_EQ(result.p50, 50);
  EXPECT_EQ(result.p90, 90);
  EXPECT_EQ(result.p99, 99);
  EXPECT_DOUBLE_EQ(result.mean, 50.5);
  EXPECT_DOUBLE_EQ(result.total_seconds, 5050e-6);
  EXPECT_EQ(result.runs, 100);
}

TEST(SummarizeLatency, OneTimeIsEveryPercentile) {
  const LatencyResult result = SummarizeLatency({7});
  EXPECT_EQ(result.p50, 7);
  EXPECT_EQ(result.p99, 7);
}

TEST(MeasureLatency, RunsEveryImageOfEveryRoundWithItsOwnInput) {
  FakePredictor predictor("a", TinyContract());
  Predictor* predictors[] = {&predictor};
  LatencyOptions options;
  options.rounds = 2;
  options.warm_up_seconds = 0;
  options.turn = 4;
  const auto measured = MeasureLatency(predictors, TinyDataset(10), options, {});
  QAT_ASSERT_OK(measured);
  EXPECT_EQ(measured->results.at(0).runs, 20);
  EXPECT_EQ(measured->results.at(0).rounds, 2);
  std::vector<int> expected(20);
  for (int i = 0; i < 20; ++i) expected[static_cast<size_t>(i)] = i % 10;
  EXPECT_EQ(predictor.invoked, expected);
}

TEST(MeasureLatency, ModelsTakeTurnsInAlternatingOrder) {
  std::vector<std::string> order;
  FakePredictor a("a", TinyContract(), &order), b("b", TinyContract(), &order);
  Predictor* predictors[] = {&a, &b};
  LatencyOptions options;
  options.warm_up_seconds = 0;
  options.turn = 1;
  QAT_ASSERT_OK(MeasureLatency(predictors, TinyDataset(4), options, {}));
  EXPECT_EQ(order, (std::vector<std::string>{"a", "b", "b", "a", "a", "b", "b", "a"}));
}

TEST(MeasureLatency, WarmUpIsNotTimed) {
  FakePredictor predictor("a", TinyContract());
  Predictor* predictors[] = {&predictor};
  const auto measured = MeasureLatency(predictors, TinyDataset(20), {}, {});
  QAT_ASSERT_OK(measured);
  EXPECT_EQ(measured->results.at(0).runs, 20);
  EXPECT_GE(predictor.invoked.size(), 20u + 3) << "three bursts tell a steady model";
}

TEST(MeasureLatency, ContinuesInWholeRoundsUntilEnoughWasMeasured) {
  FakePredictor predictor("a", TinyContract());
  Predictor* predictors[] = {&predictor};
  LatencyOptions options;
  options.warm_up_seconds = 0;
  options.least_seconds = 1000;
  options.most_rounds = 7;
  const auto measured = MeasureLatency(predictors, TinyDataset(10), options, {});
  QAT_ASSERT_OK(measured);
  EXPECT_EQ(measured->results.at(0).rounds, 7);
  EXPECT_EQ(measured->results.at(0).runs, 70);
  options.least_seconds = 0;
  EXPECT_EQ(MeasureLatency(predictors, TinyDataset(10), options, {})->results.at(0).rounds, 1);
}

TEST(MeasureLatency, HasATurnOfEveryModelAndAnIntervalWhereTheyAreMany) {
  FakePredictor a("a", TinyContract()), b("b", TinyContract());
  Predictor* predictors[] = {&a, &b};
  LatencyOptions options;
  options.warm_up_seconds = 0;
  const auto measured = MeasureLatency(predictors, TinyDataset(200), options, {});
  QAT_ASSERT_OK(measured);
  EXPECT_EQ(measured->turns.at(0).size(), 100u) << "two images a turn";
  EXPECT_EQ(measured->turns.at(1).size(), 100u);
  EXPECT_TRUE(measured->results.at(0).p50_interval.has_value());
  EXPECT_TRUE(measured->conditions.noise.has_value());
  EXPECT_FALSE(MeasureLatency(predictors, TinyDataset(19), options, {})->conditions.noise.has_value());
}

TEST(MeasureLatency, NamesThePredictorThatFailed) {
  FakePredictor predictor("model.tflite", TinyContract());
  predictor.fail = true;
  Predictor* predictors[] = {&predictor};
  QAT_EXPECT_ERROR(MeasureLatency(predictors, TinyDataset(2), {}, {}), ErrorCode::kNumerical,
                   "model.tflite: output 3 is NaN");
}

TEST(MeasureLatency, StopsWhenInterrupted) {
  FakePredictor predictor("a", TinyContract());
  Predictor* predictors[] = {&predictor};
  WorkHooks hooks;
  hooks.interrupted = [] { return true; };
  QAT_EXPECT_ERROR(MeasureLatency(predictors, TinyDataset(20), {}, hooks), ErrorCode::kInterrupted,
                   "interrupted");
}

}  // namespace
}  // namespace qat
