// output_limits.h: which limits judge which output, by what it gives.
#ifndef QAT_EVAL_OUTPUT_LIMITS_H_
#define QAT_EVAL_OUTPUT_LIMITS_H_

#include <string_view>
#include <vector>

#include "base/expected.h"
#include "data/dataset.h"
#include "eval/gate_limits.h"

namespace qat {

/// "box=1" of a single output 'box' is a limit of all its numbers, unless one of these is called so.
void TakeLimitOfOutput(const std::string& output, const Dataset& dataset, GateLimits& limits);

/// Of a model with one output. Errors: kInvalidArgument, limits that do not fit its task.
Status CheckGatesFit(const GateLimits& gates, const Dataset& dataset);

/// Those of each of several outputs: limits of answers for the outputs that can give them, limits of the
/// whole model for the first.
/// Errors: kInvalidArgument, a limit that fits none.
Expected<std::vector<GateLimits>> LimitsOfOutputs(const GateLimits& limits, const Dataset& dataset);

/// Whether a gate, by its name, judges the whole model and not the answers of an output.
bool IsOfWholeModel(std::string_view gate);

}  // namespace qat

#endif  // QAT_EVAL_OUTPUT_LIMITS_H_
