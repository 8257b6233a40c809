// batch_axis.h: networks of others that are written for one example and use its axis for something else.
#ifndef QAT_IR_BATCH_AXIS_H_
#define QAT_IR_BATCH_AXIS_H_

#include "ir/graph.h"

namespace qat {

/// Puts an axis for the examples in front of values that have none: [10, 4, 4] -> [1, 10, 4, 4]. Exporters
/// drop the batch of 1 where attention counts its heads, or put the steps first; several examples at once
/// would be mixed there. Computes the same for one example. Reshapes are added where such values meet others.
/// Returns false, and leaves the graph alone, where all values have their batch first, or where an operator
/// is met whose axes are not known here.
bool KeepBatchFirst(Graph& graph);

}  // namespace qat

#endif  // QAT_IR_BATCH_AXIS_H_
