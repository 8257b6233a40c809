#include "spec/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/check.h"

namespace qat {
namespace {

int64_t Part(double fraction, int64_t whole) { return std::llround(fraction * static_cast<double>(whole)); }

// `every` steps; where that is 0, a part of all of them; where there is none either, `otherwise`.
int64_t IntervalOf(int64_t every, double fraction, int64_t steps, int64_t otherwise) {
  if (every > 0) return every;
  return fraction > 0 ? std::max<int64_t>(Part(fraction, steps), 1) : otherwise;
}

// The learning rate `done` of the way, from 0 to 1, along half a cosine.
double AlongCosine(double from, double to, double done) {
  return to + (from - to) * (1 + std::cos(std::numbers::pi * done)) / 2;
}

// Peaks at the last step of the warm-up.
double OneCycleRate(double peak, int64_t warmup, int64_t steps, int64_t step) {
  constexpr double kStart = 1.0 / 25, kEnd = kStart / 1e4;
  if (step < warmup - 1) {
    return AlongCosine(peak * kStart, peak, static_cast<double>(step) / static_cast<double>(warmup - 1));
  }
  const int64_t top = std::max<int64_t>(warmup - 1, 0), falls = std::max<int64_t>(steps - 1 - top, 1);
  return AlongCosine(peak, peak * kEnd, static_cast<double>(step - top) / static_cast<double>(falls));
}

}  // namespace

Schedule MakeSchedule(const TrainConfig& config, int64_t train_examples) {
  QAT_CHECK(train_examples > 0 && config.batch_size > 0);
  const double steps_per_epoch = static_cast<double>(train_examples) / config.batch_size;
  Schedule schedule;
  schedule.steps_per_epoch = steps_per_epoch;
  schedule.steps =
      config.steps > 0 ? config.steps : std::max<int64_t>(std::llround(config.epochs * steps_per_epoch), 1);
  const bool quantized = config.scheme != "float32";
  const int64_t delay = config.quant_delay > 0
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
  if (config.warmup_steps > 0) return config.warmup_steps;
  const bool open = config.schedule == "one-cycle" && config.warmup_fraction == 0;
  return Part(open ? kOneCycleWarmup : config.warmup_fraction, steps);
}

double LearningRate(const TrainConfig& config, int64_t steps, int64_t step) {
  const int64_t warmup = WarmupSteps(config, steps);
  const double peak = config.learning_rate;
  if (config.schedule == "one-cycle") return OneCycleRate(peak, warmup, steps, step);
  if (step < warmup) return peak * static_cast<double>(step + 1) / static_cast<double>(warmup);
  if (config.schedule == "constant") return peak;
  if (config.schedule == "step") {
    const auto passed = std::count_if(config.milestones.begin(), config.milestones.end(),
                                      [&](double part) { return step >= Part(part, steps); });
    return peak * std::pow(config.milestone_factor, static_cast<double>(passed));
  }
  const int64_t falls = std::max<int64_t>(steps - warmup, 1);
  return AlongCosine(peak, 0, static_cast<double>(step - warmup) / static_cast<double>(falls));
}

}  // namespace qat
