// reorder.h: tensors of a graph in another order.
#ifndef QAT_IR_REORDER_H_
#define QAT_IR_REORDER_H_

#include <vector>

#include "ir/graph.h"

namespace qat {

/// Tensor order[i] becomes tensor i; the others go. Requires  that nothing names these.
void ReorderTensors(Graph& graph, const std::vector<int32_t>& order);

}  // namespace qat

#endif  // QAT_IR_REORDER_H_
