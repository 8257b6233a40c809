#include "spec/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace qat {
namespace {

TEST(MakeSchedule, ResolvesWhatZeroMeans) {
  TrainConfig config;
  config.epochs = 2;
  config.batch_size = 64;
  config.quant_delay_fraction = 0.5;
  const Schedule schedule = MakeSchedule(config, 1000);
  EXPECT_EQ(schedule.steps, 31);
  EXPECT_EQ(schedule.quant_delay, 16);
  EXPECT_EQ(schedule.eval_every, 16);
  EXPECT_EQ(schedule.checkpoint_every, 16);
  config.scheme = "float32";
  EXPECT_EQ(MakeSchedule(config, 1000).quant_delay, 31) << "never";
}

TEST(MakeSchedule, PartsFollowTheNumberOfSteps) {
  TrainConfig config;
  config.quant_delay_fraction = 0.6;
  config.warmup_fraction = 0.05;
  config.eval_every_fraction = 0.1;
  config.checkpoint_every_fraction = 0.2;
  for (const int64_t steps : {int64_t{1}, int64_t{2}, int64_t{3}, int64_t{40}, int64_t{5000}}) {
    config.steps = steps;
    const Schedule schedule = MakeSchedule(config, 1000);
    EXPECT_LT(schedule.quant_delay, steps) << "fake quantization starts";
    EXPECT_LE(WarmupSteps(config, steps), schedule.quant_delay);
    EXPECT_EQ(schedule.eval_every, std::max<int64_t>(std::llround(0.1 * static_cast<double>(steps)), 1));
    EXPECT_GE(schedule.checkpoint_every, schedule.eval_every);
  }
  config.eval_every = 7;
  EXPECT_EQ(MakeSchedule(config, 1000).eval_every, 7) << "steps come before parts";
  EXPECT_DOUBLE_EQ(LearningRate(config, 1000, 49), config.learning_rate) << "the warm-up is over";
  EXPECT_DOUBLE_EQ(LearningRate(config, 1000, 24), config.learning_rate / 2);
}

TEST(LearningRate, WarmsUpAndFallsToZeroAlongACosine) {
  TrainConfig config;
  config.learning_rate = 1;
  config.warmup_steps = 10;
  EXPECT_DOUBLE_EQ(LearningRate(config, 110, 0), 0.1);
  EXPECT_DOUBLE_EQ(LearningRate(config, 110, 9), 1);
  EXPECT_DOUBLE_EQ(LearningRate(config, 110, 10), 1);
  EXPECT_NEAR(LearningRate(config, 110, 60), 0.5, 1e-12);
  EXPECT_LT(LearningRate(config, 110, 109), 1e-3);
  config.schedule = "constant";
  EXPECT_DOUBLE_EQ(LearningRate(config, 110, 109), 1);
}

}  // namespace
}  // namespace qat
