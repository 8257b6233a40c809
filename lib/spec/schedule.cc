#include "spec/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/check.h"

namespace qat {
namespace {

int64_t Part(double fraction, int64_t whole) {
  return std::llround(fraction * static_cast<double>(whole));
}

// `every` steps; where that is 0, a part of all of them; where there is none either, `otherwise`.
int64_t IntervalOf(int64_t every, double fraction, int64_t steps, int64_t otherwise) {
  if (every > 0) return every;
  return fraction > 0 ? std::max<int64_t>(Part(fraction, steps), 1) : otherwise;
}

}  // namespace

Schedule MakeSchedule(const TrainConfig& config, int64_t train_examples) {
  QAT_CHECK(train_examples > 0 && config.batch_size > 0);
  const double steps_per_epoch = static_cast<double>(train_examples) / config.batch_size;
  Schedule schedule;
  schedule.steps =
      config.steps > 0 ? config.steps : std::max<int64_t>(std::llround(config.epochs * steps_per_epoch), 1);
  const bool quantized = config.scheme != "float32";
  const int64_t delay =
      config.quant_delay > 0
          ? config.quant_delay
          // Rounded down at the end: a run of a single step is quantized, too.
          : std::min(Part(config.quant_delay_fraction, schedule.steps), schedule.steps - 1);
  schedule.quant_delay = quantized ? std::min(delay, schedule.steps) : schedule.steps;
  const int64_t freeze =
      config.bn_freeze > 0 ? config.bn_freeze : Part(config.bn_freeze_fraction, schedule.steps);
  schedule.freeze_batch_norm_at = quantized ? std::min(freeze, schedule.steps) : schedule.steps;
  // The first step always observes: there is no other range to stand still at.
  schedule.freeze_ranges_at = std::max<int64_t>(Part(config.freeze_ranges_fraction, schedule.steps), 1);
  schedule.eval_every = IntervalOf(config.eval_every, config.eval_every_fraction, schedule.steps,
                                   static_cast<int64_t>(std::ceil(steps_per_epoch)));
  schedule.checkpoint_every = IntervalOf(config.checkpoint_every, config.checkpoint_every_fraction,
                                         schedule.steps, schedule.eval_every);
  return schedule;
}

int64_t WarmupSteps(const TrainConfig& config, int64_t steps) {
  return config.warmup_steps > 0 ? config.warmup_steps : Part(config.warmup_fraction, steps);
}

double LearningRate(const TrainConfig& config, int64_t steps, int64_t step) {
  const int64_t warmup = WarmupSteps(config, steps);
  if (step < warmup) {
    return config.learning_rate * static_cast<double>(step + 1) / static_cast<double>(warmup);
  }
  if (config.schedule == "constant") return config.learning_rate;
  const double done =
      static_cast<double>(step - warmup) / static_cast<double>(std::max<int64_t>(steps - warmup, 1));
  return config.learning_rate * (1 + std::cos(std::numbers::pi * done)) / 2;
}

}  // namespace qat
