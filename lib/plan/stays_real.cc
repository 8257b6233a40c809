#include "plan/stays_real.h"

#include <algorithm>

namespace qat {

namespace {

/// What makes real numbers of integers.
bool BeginsReals(OpType type) {
  return type == OpType::kDequantize || type == OpType::kCast || type == OpType::kOneHot;
}

}  // namespace

std::vector<bool> StaysReal(const Graph& graph) {
  std::vector<bool> real(graph.tensors.size(), false);
  for (const GraphNode& node : graph.nodes) {
    if (!BeginsReals(node.type) && !ComputesReals(node, real)) continue;
    for (const int32_t output : node.outputs)
      real[static_cast<size_t>(output)] = graph.tensor(output).type == DType::kFloat32;
  }
  return real;
}

bool ComputesReals(const GraphNode& node, const std::vector<bool>& stays_real) {
  if (node.type == OpType::kQuantize) return false;
  return std::any_of(node.inputs.begin(), node.inputs.end(),
                     [&](int32_t input) { return stays_real[static_cast<size_t>(input)]; });
}

}  // namespace qat
