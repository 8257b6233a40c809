// latency.h: how long Invoke takes, one image at a time on one thread, fairly between models.
#ifndef QAT_EVAL_LATENCY_H_
#define QAT_EVAL_LATENCY_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/expected.h"
#include "data/dataset.h"
#include "eval/hooks.h"
#include "predict/predictor.h"
#include "report/report.h"

namespace qat {

struct LatencyOptions {
  int32_t rounds = 1;    ///< over the whole data set
  int32_t warm_up = 10;  ///< untimed images a model, before the first round
  int32_t turn = 250;    ///< images after which the next model is on
};

/// Times every predictor on every image of every round. The models take turns within a round, in an order that is
/// reversed after each turn, so that a drift of the clock or of the machine's load meets all of them alike. Only Invoke
/// is timed (steady clock); Load is not.
/// `times` (may be null) takes the microseconds of each predictor, in the order of measurement: the same for all.
/// Requires  a data set that is not empty; sizes that CheckContract passed.
/// Errors: the predictors'; kInterrupted.
Expected<std::vector<LatencyResult>> MeasureLatency(std::span<Predictor* const> predictors,
                                                    const Dataset& dataset, const LatencyOptions& options,
                                                    const WorkHooks& hooks,
                                                    std::vector<std::vector<float>>* times = nullptr);

/// Percentiles by nearest rank: the ceil(p / 100 * N)-th smallest. Requires at least one time.
LatencyResult SummarizeLatency(std::vector<float> microseconds);

}  // namespace qat

#endif  // QAT_EVAL_LATENCY_H_
