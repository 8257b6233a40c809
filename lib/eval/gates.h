// gates.h: judges a report by limits: what qat-eval's exit code 1 stands for.
#ifndef QAT_EVAL_GATES_H_
#define QAT_EVAL_GATES_H_

#include <vector>

#include "base/expected.h"
#include "eval/gate_limits.h"
#include "report/main_rows.h"
#include "report/report.h"

namespace qat {

/// The rows that gates judge: all .tflite models, else "graph", else "simulated".
std::vector<const ModelResult*> JudgedRows(const Report& report);

/// What to say where a limit needs a reference and there is none; where one of speed needs a float model.
Error NoReference();
Error NoFloatModel();

/// Before the long work: one of the models has a float model to be compared with where a limit of speed needs
/// it.
/// `report`: holds the rows. Errors: kInvalidArgument.
Status CheckSpeedGates(const GateLimits& limits, bool has_baseline, const Report& report);

/// Appends a GateResult for each limit and judged row. Accuracy is held against ReferenceRow, time against
/// FloatModelFor.
/// `baseline` (may be null): an earlier report, whose row of the same name is then the reference of both; or
/// its only .tflite row, where this report has one, too.
/// Flips are counted by the pair (reference, row) of `report`.
/// A drop that `significance` lets pass adds a warning; the p value is known only for pairs of the same run.
/// Errors: kInvalidArgument, where a limit needs a reference, a latency or a row of the baseline that is not
/// there.
Status JudgeGates(const GateLimits& limits, const Report* baseline, Report& report);

}  // namespace qat

#endif  // QAT_EVAL_GATES_H_
