// latency.h: how long Invoke takes, one image at a time on one thread, fairly between models.
#ifndef QAT_EVAL_LATENCY_H_
#define QAT_EVAL_LATENCY_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/expected.h"
#include "base/work_hooks.h"
#include "data/dataset.h"
#include "predict/predictor.h"
#include "report/report.h"

namespace qat {

struct LatencyOptions {
  int32_t rounds = 1;          ///< over the whole data set
  double least_seconds = 0;    ///< further rounds until so much was measured
  int32_t most_rounds = 1000;  ///< … but no more than these
  double warm_up_seconds =
      0.25;                ///< the most a model runs untimed; it ends earlier where the model is steady
  int64_t turn = 250;      ///< most images after which the next model is on
  double turn_us = 3000;   ///< … fewer where the slowest model takes longer for them
  bool one_thread = true;  ///< all work is the calling thread's: it is pinned, and its own clock counts, too
  uint64_t seed = 1;       ///< of the intervals
};

/// Of all predictors, in their order.
struct LatencyMeasurement {
  std::vector<LatencyResult> results;
  std::vector<std::vector<float>>
      turns;  ///< median of each turn, microseconds, without what other processes took
  TimingConditions conditions;
};

/// Times every predictor on every image of every round. The models take turns of some milliseconds, in an
/// order that is reversed after each turn, so that a drift of the clock or of the machine's load affects all
/// of them alike. Only Invoke is timed (steady clock); Load is not. Before, each model runs untimed until
/// three bursts of its runs in a row differ by no more than 3 %.
/// Requires  a data set that is not empty; sizes that CheckContract passed.
/// Errors: the predictors'; kInterrupted.
Expected<LatencyMeasurement> MeasureLatency(std::span<Predictor* const> predictors, const Dataset& dataset,
                                            const LatencyOptions& options, const WorkHooks& hooks);

/// Percentiles by nearest rank: the ceil(p / 100 * N)-th smallest. Requires at least one time.
LatencyResult SummarizeLatency(std::vector<float> microseconds);

/// What `turns` of several models say of the noise: the largest of NoiseOfTurns; absent where there are too
/// few.
std::optional<double> NoiseOf(std::span<const std::vector<float>> turns, uint64_t seed);

}  // namespace qat

#endif  // QAT_EVAL_LATENCY_H_
