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
  int64_t quant_delay = 0;  ///< first step (from 0) with fake quantization; `steps` for float32: never
  int64_t freeze_batch_norm_at =
      0;  ///< first step in which batch norms use their moving averages; `steps`: never
  int64_t freeze_ranges_at = 0;  ///< first step in which observers stand still
  int64_t eval_every = 0;
  int64_t checkpoint_every = 0;
};

/// Requires a valid configuration and train_examples > 0.
Schedule MakeSchedule(const TrainConfig& config, int64_t train_examples);

/// How many steps the learning rate rises for, of `steps` in all.
int64_t WarmupSteps(const TrainConfig& config, int64_t steps);

/// Rate of step s, counted from 0: base * (s + 1) / warmup while s < warmup; then constant, or
/// base * (1 + cos(pi * (s - warmup) / (steps - warmup))) / 2.
double LearningRate(const TrainConfig& config, int64_t steps, int64_t step);

}  // namespace qat

#endif  // QAT_SPEC_SCHEDULE_H_
