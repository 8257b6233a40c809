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
  options.warm_up = 0;
  options.turn = 4;
  const auto results = MeasureLatency(predictors, TinyDataset(10), options, {});
  QAT_ASSERT_OK(results);
  EXPECT_EQ(results->at(0).runs, 20);
  EXPECT_EQ(results->at(0).rounds, 2);
  std::vector<int> expected(20);
  for (int i = 0; i < 20; ++i) expected[static_cast<size_t>(i)] = i % 10;
  EXPECT_EQ(predictor.invoked, expected);
}

TEST(MeasureLatency, ModelsTakeTurnsInAlternatingOrder) {
  std::vector<std::string> order;
  FakePredictor a("a", TinyContract(), &order), b("b", TinyContract(), &order);
  Predictor* predictors[] = {&a, &b};
  LatencyOptions options;
  options.warm_up = 0;
  options.turn = 1;
  QAT_ASSERT_OK(MeasureLatency(predictors, TinyDataset(4), options, {}));
  EXPECT_EQ(order, (std::vector<std::string>{"a", "b", "b", "a", "a", "b", "b", "a"}));
}

TEST(MeasureLatency, WarmUpIsNotTimed) {
  FakePredictor predictor("a", TinyContract());
  Predictor* predictors[] = {&predictor};
  const auto results = MeasureLatency(predictors, TinyDataset(20), {}, {});
  QAT_ASSERT_OK(results);
  EXPECT_EQ(results->at(0).runs, 20);
  EXPECT_EQ(predictor.invoked.size(), 30u);
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
