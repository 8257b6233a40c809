#include "train/budget.h"

#include <gtest/gtest.h>

#include "support/test_util.h"
#include "train/run_contract.h"
#include "train/tiny.h"
#include "train/train_job.h"

namespace qat {
namespace {

TrainConfig Recipe(int64_t steps) {
  TrainConfig config;
  config.steps = steps;
  config.batch_size = 10;
  config.quant_delay_fraction = 0.5;
  config.bn_freeze_fraction = 0.75;
  config.eval_every_fraction = 0.1;
  return config;
}

TEST(StepsWithin, CountsEveryKindOfStepAndTheEvaluations) {
  // 1000 steps: 500 at 10 ms, 250 at 20, 250 at 12, and 10 evaluations of 0.2 s.
  const RunCost cost = {0.010, 0.020, 0.012, 0.2};
  EXPECT_EQ(StepsWithin(cost, Recipe(100'000), 1000, 5 + 5 + 3 + 2 + 0.01), 1000);
  EXPECT_EQ(StepsWithin(cost, Recipe(600), 1000, 15), 600) << "never more than the recipe asks for";
  EXPECT_EQ(StepsWithin(cost, Recipe(100'000), 1000, 0), 1) << "a run has a step";
  TrainConfig floating = Recipe(100'000);
  floating.scheme = "float32";
  EXPECT_EQ(StepsWithin(cost, floating, 1000, 12.01), 1000) << "all 1000 steps at 10 ms";
}

TEST(MeasureCost, TimesStepsOfEveryKind) {
  const Dataset train = testing::Quarters(300, 1), test = testing::Quarters(80, 2);
  TrainConfig config = testing::TinyConfig();
  config.budget = 4;
  config.weight_average_decay = 0.9;
  const auto contract = MakeContract(config, train, testing::Parsed(testing::kTinySpec));
  const auto split = SplitHoldout(train, config.holdout, config.seed);
  QAT_ASSERT_OK(contract);
  QAT_ASSERT_OK(split);
  const auto cost =
      MeasureCost(testing::Parsed(testing::kTinySpec), config, *contract, train, test, *split, nullptr, {});
  QAT_ASSERT_OK(cost);
  for (const double seconds : {cost->plain, cost->quantized, cost->frozen, cost->evaluation})
    EXPECT_GT(seconds, 0);
  const auto stopped = MeasureCost(testing::Parsed(testing::kTinySpec), config, *contract, train, test,
                                   *split, nullptr, WorkHooks{{}, [] { return true; }});
  QAT_EXPECT_ERROR(stopped, ErrorCode::kInterrupted,
                   "interrupted while measuring the speed: no output was written");
}

}  // namespace
}  // namespace qat
