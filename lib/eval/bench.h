// bench.h: how fast models are, without a data set: random inputs, and models and batches take turns. What
// qat-eval bench does.
#ifndef QAT_EVAL_BENCH_H_
#define QAT_EVAL_BENCH_H_

#include <cstdint>

#include "base/expected.h"
#include "base/work_hooks.h"
#include "eval/rows.h"
#include "report/report.h"

namespace qat {

struct BenchRequest {
  int32_t batch = 1;       ///< measured besides batch 1, where it is more
  int32_t rounds = 40;     ///< turns of each model and batch
  bool operators = false;  ///< also time every operator
  uint64_t seed = 1;       ///< of the inputs
};

/// Measures each model at batch 1, then at request.batch. In a round every one of them has a turn of some
/// milliseconds, and the order is reversed after each round, so that disturbances affect all of them alike;
/// `ratio` is the median over the rounds of the ratios within one round.
/// `rows` holds models and graphs only. Fills report.benchmarks, environment and the metrics "peak_...".
/// A model that cannot have the batch is left out of it with a warning.
/// Errors: kInvalidArgument (other rows, numbers out of range), those of LoadRunnable
/// and Interpreter::Create, kInterrupted.
Status RunBench(const BenchRequest& request, const RowRequest& rows, const WorkHooks& hooks, Report& report);

}  // namespace qat

#endif  // QAT_EVAL_BENCH_H_
