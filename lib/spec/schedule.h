// schedule.h: what depends on the step alone: the learning rate, and when fake quantization and observers are
// on.
#ifndef QAT_SPEC_SCHEDULE_H_
#define QAT_SPEC_SCHEDULE_H_

#include <cstdint>

#include "spec/train_config.h"

namespace qat {

/// A configuration with everything that "0 means" resolved for a training set of a certain size.
struct Schedule {
  int64_t steps = 0;
  double steps_per_epoch = 0;
  int64_t quant_delay = 0;  ///< first step (from 0) with fake quantization; `steps` for float32: never
  int64_t freeze_batch_norm_at =
      0;  ///< first step in which batch norms use their moving averages; `steps`: never
  int64_t freeze_ranges_at = 0;  ///< first step in which observers stand still
  int64_t eval_every = 0;
  int64_t checkpoint_every = 0;
};

/// Requires a valid configuration and train_examples > 0.
Schedule MakeSchedule(const TrainConfig& config, int64_t train_examples);

/// The warm-up of one-cycle where a recipe says none: a part of all steps.
inline constexpr double kOneCycleWarmup = 0.3;

/// How many steps the learning rate rises for, of `steps` in all.
int64_t WarmupSteps(const TrainConfig& config, int64_t steps);

/// Rate of step s, counted from 0, with W steps of warm-up, S in all:
///   one-cycle  a + (peak - a) (1 - cos(pi s / (W - 1))) / 2 for s < W, with a = peak / 25; then
///              b + (peak - b) (1 + cos(pi (s - W + 1) / (S - W))) / 2, with b = a / 10^4.
///              Without a warm-up W is kOneCycleWarmup of S.
///   others     peak (s + 1) / W for s < W; then
///   constant   peak
///   cosine     peak (1 + cos(pi (s - W) / (S - W))) / 2
///   step       peak * milestone_factor^n after n milestones; one is passed at step round(milestone * S)
/// Source    cosine: Loshchilov, Hutter 2017; step: He et al. 2016; one-cycle: Smith, Topin 2019, in the form
/// and with the
///           constants of PyTorch's OneCycleLR. Momentum stays.
double LearningRate(const TrainConfig& config, int64_t steps, int64_t step);

}  // namespace qat

#endif  // QAT_SPEC_SCHEDULE_H_
