#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/check.h"

namespace qat {

Schedule MakeSchedule(const TrainConfig& config, int64_t train_examples) {
  QAT_CHECK(train_examples > 0 && config.batch_size > 0);
  const double steps_per_epoch = static_cast<double>(train_examples) / config.batch_size;
  const auto part = [](double fraction, int64_t whole) {
    return std::llround(fraction * static_cast<double>(whole));
  };
  Schedule schedule;
  schedule.steps =
      config.steps > 0 ? config.steps : std::max<int64_t>(std::llround(config.epochs * steps_per_epoch), 1);
  const bool quantized = config.scheme != "float32";
  const int64_t delay =
      config.quant_delay > 0 ? config.quant_delay : part(config.quant_delay_fraction, schedule.steps);
  schedule.quant_delay = quantized ? std::min(delay, schedule.steps) : schedule.steps;
  const int64_t freeze =
      config.bn_freeze > 0 ? config.bn_freeze : part(config.bn_freeze_fraction, schedule.steps);
  schedule.freeze_batch_norm_at = quantized ? std::min(freeze, schedule.steps) : schedule.steps;
  // The first step always observes: there is no other range to stand still at.
  schedule.freeze_ranges_at = std::max<int64_t>(part(config.freeze_ranges_fraction, schedule.steps), 1);
  schedule.eval_every =
      config.eval_every > 0 ? config.eval_every : static_cast<int64_t>(std::ceil(steps_per_epoch));
  schedule.checkpoint_every = config.checkpoint_every > 0 ? config.checkpoint_every : schedule.eval_every;
  return schedule;
}

double LearningRate(const TrainConfig& config, int64_t steps, int64_t step) {
  if (step < config.warmup_steps) {
    return config.learning_rate * static_cast<double>(step + 1) / static_cast<double>(config.warmup_steps);
  }
  if (config.schedule == "constant") return config.learning_rate;
  const double done = static_cast<double>(step - config.warmup_steps) /
                      static_cast<double>(std::max<int64_t>(steps - config.warmup_steps, 1));
  return config.learning_rate * (1 + std::cos(std::numbers::pi * done)) / 2;
}

}  // namespace qat
