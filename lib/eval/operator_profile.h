// operator_profile.h: where a model's time goes, operator by operator, and how near each comes to what the
// machine can do.
#ifndef QAT_EVAL_OPERATOR_PROFILE_H_
#define QAT_EVAL_OPERATOR_PROFILE_H_

#include <cstdint>
#include <vector>

#include "report/report.h"
#include "runtime/interpreter.h"
#include "runtime/machine_peaks.h"

namespace qat {

/// Multiply-accumulates of one node at the shapes that the interpreter planned.
int64_t MultiplyAccumulatesOf(const Interpreter& interpreter, size_t node);

/// Runs the model `rounds` times, node by node. Folded nodes take no time. Requires rounds > 0.
std::vector<OperatorTime> ProfileOperators(Interpreter& interpreter, int32_t rounds,
                                           const MachinePeaks& peaks);

}  // namespace qat

#endif  // QAT_EVAL_OPERATOR_PROFILE_H_
