// real_tensors.h: what quantization is about, and what it leaves alone.
#ifndef QAT_IR_REAL_TENSORS_H_
#define QAT_IR_REAL_TENSORS_H_

#include <algorithm>

#include "ir/graph.h"

namespace qat {

/// Whether a node reads or writes real numbers, constants included. Indices, whole numbers and truth values
/// are the same in every type of model.
inline bool TouchesReals(const Graph& graph, const GraphNode& node) {
  const auto is_real = [&](int32_t tensor) { return graph.tensor(tensor).type == DType::kFloat32; };
  return std::any_of(node.inputs.begin(), node.inputs.end(), is_real) ||
         std::any_of(node.outputs.begin(), node.outputs.end(), is_real);
}

}  // namespace qat

#endif  // QAT_IR_REAL_TENSORS_H_
