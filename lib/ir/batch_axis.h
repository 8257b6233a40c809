// batch_axis.h: networks of others that are written for one example and use its axis for something else.
#ifndef QAT_IR_BATCH_AXIS_H_
#define QAT_IR_BATCH_AXIS_H_

#include "ir/graph.h"

namespace qat {

/// Gives values whose first axis is no longer that of the examples one in front of it, [10, 4, 4] -> [1, 10, 4,
/// 4], so that every example of a batch goes its own way: exporters take the batch of 1 away where attention
/// counts its heads, or put the steps first. Computes the same for one example. Reshapes are added where such
/// values meet others.
/// False, and the graph is as before, where all values have their batch first, or where an operator is met
/// whose axes are not known here.
bool KeepBatchFirst(Graph& graph);

}  // namespace qat

#endif  // QAT_IR_BATCH_AXIS_H_
