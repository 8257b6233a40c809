// twins.h: one quantized network as two models, of uint8 and of int8, whose every byte differs by 128. Both
// have one scale and the same steps per tensor; the zero points of uint8 are those of int8 and 128, of
// filters 128 and 0.
#ifndef QAT_PLAN_TWINS_H_
#define QAT_PLAN_TWINS_H_

#include <string>
#include <vector>

#include "base/expected.h"
#include "ir/graph.h"
#include "plan/plan.h"

namespace qat {

/// Errors: kUnsupported, one sentence that lists every node whose answers TFLite's reference kernels round
/// differently for the two types, or compute for one of them only. What stays real does not count. To be
/// asked before ranges are found.
Status ExpectTwins(const Graph& graph);

/// Moves scales of filters until both types requantize with the same 31 bits: TFLite multiplies the scales of
/// input and filter in float32 for uint8 and in double for int8. Where one filter serves several layers and
/// no scale near its own does, it becomes the next power of 2, with a warning. Biases follow.
///   scale'   the least float32 from `scale` on with QuantizeMultiplier(float(input * scale') / output) =
///            QuantizeMultiplier(double(input) * scale' / output) for every reader; some hundred units in the
///            last place at most
/// Requires  a plan of this graph for activations of int8. Errors: kInvalidArgument, for a filter with
/// several scales or of 4 bits.
Status MatchTwinScales(const Graph& graph, QuantizationPlan& plan, std::vector<std::string>& warnings);

/// Every int8 becomes uint8, 128 higher. Requires  an int8 model that MatchTwinScales and ApplyPlan made.
Graph UInt8TwinOf(const Graph& int8);

}  // namespace qat

#endif  // QAT_PLAN_TWINS_H_
