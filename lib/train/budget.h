// budget.h: how many steps fit a time.
#ifndef QAT_TRAIN_BUDGET_H_
#define QAT_TRAIN_BUDGET_H_

#include <cstdint>

#include "base/expected.h"
#include "base/work_hooks.h"
#include "checkpoint/checkpoint.h"
#include "contract/contract.h"
#include "data/dataset.h"
#include "data/holdout.h"
#include "ir/graph.h"
#include "spec/train_config.h"

namespace qat {

/// Seconds on this machine.
struct RunCost {
  double plain = 0;      ///< of a step before fake quantization
  double quantized = 0;  ///< of a step with it
  double frozen = 0;     ///< of one whose batch norms stand still
  double evaluation = 0;
};

/// The largest number of steps, at most what the recipe says, at least 1, that costs no more than `seconds`
/// under the recipe's schedule and evaluations; a multiple of 20 from 200 on. A pure function.
int64_t StepsWithin(const RunCost& cost, const TrainConfig& config, int64_t train_examples, double seconds);

/// What so many steps cost, evaluations included: what StepsWithin compares.
double SecondsOf(const RunCost& cost, const TrainConfig& config, int64_t steps, int64_t train_examples);

/// Times a few steps of each kind, and an evaluation, on a network of its own. Takes some 4 seconds at most,
/// a tenth of the budget where that is less.
/// `teacher`: that of TrainStart, as its answers take time. Errors: those of StepEngine and of reading;
/// kInterrupted.
Expected<RunCost> MeasureCost(const Graph& network, const TrainConfig& config, const Contract& contract,
                              const Dataset& train, const Dataset& test, const HoldoutSplit& split,
                              const Checkpoint* teacher, const WorkHooks& hooks);

}  // namespace qat

#endif  // QAT_TRAIN_BUDGET_H_
