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

// ResNet-20 of He et al. 2016: 64,000 steps, divided by 10 after 32,000 and 48,000 of them.
TEST(LearningRate, FallsAtMilestones) {
  TrainConfig config;
  config.learning_rate = 0.1;
  config.schedule = "step";
  EXPECT_DOUBLE_EQ(LearningRate(config, 64'000, 0), 0.1);
  EXPECT_DOUBLE_EQ(LearningRate(config, 64'000, 31'999), 0.1);
  EXPECT_DOUBLE_EQ(LearningRate(config, 64'000, 32'000), 0.01);
  EXPECT_DOUBLE_EQ(LearningRate(config, 64'000, 47'999), 0.01);
  EXPECT_DOUBLE_EQ(LearningRate(config, 64'000, 48'000), 0.001);
  EXPECT_DOUBLE_EQ(LearningRate(config, 64'000, 63'999), 0.001);
  config.warmup_steps = 400;
  EXPECT_DOUBLE_EQ(LearningRate(config, 64'000, 99), 0.025);
  config.milestones = {0.9};
  config.milestone_factor = 0.2;
  EXPECT_DOUBLE_EQ(LearningRate(config, 64'000, 57'599), 0.1);
  EXPECT_DOUBLE_EQ(LearningRate(config, 64'000, 57'600), 0.02);
}

// Of PyTorch 2.13: OneCycleLR(SGD, max_lr, total_steps, pct_start).
TEST(LearningRate, OfOneCycleIsPyTorchs) {
  TrainConfig config;
  config.schedule = "one-cycle";
  config.learning_rate = 0.4;
  const std::pair<int64_t, double> of_100[] = {
      {0, 0.016},      {1, 0.017125512226362993}, {10, 0.11806557938564033},   {20, 0.3157479165495774},
      {29, 0.4},       {30, 0.39979861411380974}, {31, 0.3991948620196127},    {50, 0.3175573802302928},
      {64, 0.2000008}, {80, 0.06841358116303825}, {98, 0.0002029858861903152}, {99, 1.6e-06}};
  for (const auto& [step, rate] : of_100) EXPECT_NEAR(LearningRate(config, 100, step), rate, 1e-14) << step;
  config.learning_rate = 0.1;
  const std::pair<int64_t, double> of_40[] = {
      {0, 0.004}, {1, 0.028}, {2, 0.076}, {3, 0.1}, {4, 0.09980973566564766}, {20, 0.05435796970623437},
      {39, 4e-07}};
  config.warmup_fraction = 0.1;
  for (const auto& [step, rate] : of_40) EXPECT_NEAR(LearningRate(config, 40, step), rate, 1e-14) << step;
  config.warmup_steps = 4;
  config.warmup_fraction = 0;
  for (const auto& [step, rate] : of_40) EXPECT_NEAR(LearningRate(config, 40, step), rate, 1e-14) << step;
}

TEST(LearningRate, OfOneCycleIsThatOfShortRunsToo) {
  TrainConfig config;
  config.learning_rate = 1;
  config.schedule = "one-cycle";
  for (const int64_t steps : {int64_t{1}, int64_t{2}, int64_t{3}, int64_t{7}}) {
    for (int64_t step = 0; step < steps; ++step) {
      EXPECT_GT(LearningRate(config, steps, step), 0) << step << " of " << steps;
      EXPECT_LE(LearningRate(config, steps, step), 1) << step << " of " << steps;
    }
  }
  config.warmup_steps = 1;
  EXPECT_DOUBLE_EQ(LearningRate(config, 5, 0), 1) << "a warm-up of one step is the peak";
  EXPECT_NEAR(LearningRate(config, 5, 4), 1 / 25e4, 1e-12);
}

}  // namespace
}  // namespace qat
