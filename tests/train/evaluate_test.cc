// How sure an evaluation is of itself, and what a run makes of that.
#include "train/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "support/test_util.h"
#include "train/run_recorder.h"
#include "train/tiny_run.h"

namespace qat {
namespace {

using testing::Parsed;
using testing::Quarters;
using testing::RunTiny;
using testing::TempDir;
using testing::TinyConfig;

struct Whole {
  std::vector<Evaluation> single;  // of each example alone
  Evaluation all;
};

Whole EvaluateBothWays(const std::string& run, const Dataset& data) {
  const auto checkpoint = ReadCheckpoint(*ResolveCheckpoint(run, "last"));
  QAT_CHECK(checkpoint.ok());
  const auto network = Network::FromCheckpoint(*checkpoint);
  QAT_CHECK(network.ok());
  std::vector<int32_t> indices(static_cast<size_t>(data.size()));
  std::iota(indices.begin(), indices.end(), 0);
  const auto evaluate = [&](std::span<const int32_t> part) {
    const auto evaluation = Evaluate(**network, checkpoint->contract, data, part, true);
    QAT_CHECK(evaluation.ok());
    return *evaluation;
  };
  Whole whole;
  for (const int32_t& index : indices) whole.single.push_back(evaluate(std::span(&index, 1)));
  whole.all = evaluate(indices);
  return whole;
}

TEST(Evaluate, StandardErrorOfAnAccuracyIsThatOfTwoMoreExamples) {
  TempDir dir;
  TrainConfig config = TinyConfig();
  config.steps = 20;
  config.quant_delay = 5;
  QAT_ASSERT_OK(RunTiny(config, dir / "run"));
  const Whole whole = EvaluateBothWays(dir / "run", Quarters(80, 2));
  double right = 0;
  for (const Evaluation& each : whole.single) right += each.accuracy / 100;
  ASSERT_GT(right, 0);
  ASSERT_LT(right, 80);
  EXPECT_NEAR(whole.all.accuracy, 100 * right / 80, 1e-9);
  const double p = (right + 1) / 82;
  EXPECT_NEAR(whole.all.standard_error, 100 * std::sqrt(p * (1 - p) / 81), 1e-9);
}

TEST(Evaluate, StandardErrorOfASquaredErrorIsItsSpreadOverExamples) {
  TempDir dir;
  const Graph network = testing::OneLayer(8, 8, 1, "op = \"fully_connected\"\nunits = 2");
  Dataset data = Quarters(60, 1);
  data.targets = 2;
  data.task = Task::kNumbers;
  for (const int32_t label : data.labels) {
    data.numbers.push_back(static_cast<float>(label));
    data.numbers.push_back(static_cast<float>(label % 2) * 0.3f);
  }
  data.labels.clear();
  data.class_names.clear();
  TrainConfig config = TinyConfig();
  config.holdout = 10;
  config.steps = 20;
  config.quant_delay = 5;
  QAT_ASSERT_OK(Train(network, config, data, data, dir / "run", {}, {}));
  const Whole whole = EvaluateBothWays(dir / "run", data);
  double mean = 0, variance = 0;
  for (const Evaluation& each : whole.single) mean += each.loss / 60;
  for (const Evaluation& each : whole.single) variance += (each.loss - mean) * (each.loss - mean) / 59;
  EXPECT_NEAR(whole.all.loss, mean, 1e-6 * mean);
  EXPECT_NEAR(whole.all.standard_error, std::sqrt(variance / 60), 1e-6 * mean);
  EXPECT_NEAR(whole.single[0].standard_error, whole.single[0].loss, 1e-9)
      << "one example says nothing on others";
}

TEST(Train, ACheckpointRecordsHowSureItsFiguresAre) {
  TempDir dir;
  TrainConfig config = TinyConfig();
  config.holdout = 40;
  const auto result = RunTiny(config, dir / "run");
  QAT_ASSERT_OK(result);
  const auto checkpoint = ReadCheckpoint(result->checkpoint);
  QAT_ASSERT_OK(checkpoint);
  const double p = (checkpoint->metrics.at("holdout_accuracy") / 100 * 40 + 1) / 42;
  EXPECT_NEAR(checkpoint->metrics.at("holdout_standard_error"), 100 * std::sqrt(p * (1 - p) / 41), 1e-9);
  EXPECT_EQ(CheckpointPath(dir / "run", result->taken_step), *ResolveCheckpoint(dir / "run", ""));
}

// Evaluations on ten examples, one after another: how many until patience 3 is over.
int64_t EvaluationsUntilTheEnd(const std::vector<Evaluation>& evaluations) {
  TempDir dir;
  std::filesystem::create_directories(dir / "run");
  TrainConfig config;
  config.scheme = "float32";
  config.patience = 3;
  auto recorder =
      RunRecorder::Open({dir / "run", "holdout", true, {}}, MakeSchedule(config, 100), config, {});
  QAT_CHECK(recorder.ok());
  int64_t step = 0;
  for (const Evaluation& each : evaluations) {
    QAT_CHECK((*recorder)->LogEvaluation(++step, each, false, {}, {}).ok());
    if ((*recorder)->OutOfPatience()) break;
  }
  return step;
}

TEST(Patience, IsNotOverAfterOneLuckyAccuracyWhileTheLossFalls) {
  std::vector<Evaluation> lucky = {{100, 0.9, 8}};
  for (int i = 1; i <= 8; ++i) lucky.push_back({90, 0.9 - 0.1 * i, 11});
  EXPECT_EQ(EvaluationsUntilTheEnd(lucky), 9);
}

TEST(Patience, IsOverWhereTheLossRises) {
  std::vector<Evaluation> rising = {{90, 0.5, 11}};
  for (int i = 1; i <= 8; ++i) rising.push_back({i % 2 ? 100.0 : 90, 0.5 + 0.1 * i, 10});
  EXPECT_EQ(EvaluationsUntilTheEnd(rising), 4) << "one example more is chance";
}

TEST(Patience, WaitsForAccuraciesThatRiseBeyondChanceWhateverTheLoss) {
  std::vector<Evaluation> rising;
  for (int i = 0; i <= 8; ++i) rising.push_back({50 + 5.0 * i, 0.5 + 0.1 * i, 0.7});
  EXPECT_EQ(EvaluationsUntilTheEnd(rising), 9);
}

TEST(Patience, IsOverWhereALowerLossComesWithWrongAnswers) {
  std::vector<Evaluation> worse = {{95, 0.9, 0.5}};
  for (int i = 1; i <= 8; ++i) worse.push_back({90, 0.9 - 0.1 * i, 0.6});
  EXPECT_EQ(EvaluationsUntilTheEnd(worse), 4);
}

}  // namespace
}  // namespace qat
