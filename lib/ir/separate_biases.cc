#include "ir/separate_biases.h"

#include <set>

#include "base/strings.h"
#include "ir/free_name.h"

namespace qat {

bool GiveBias(Graph& graph, GraphNode& node) {
  const bool needs = node.type == OpType::kConv2D || node.type == OpType::kDepthwiseConv2D;
  if (!needs || node.inputs.size() != 2) return false;
  const GraphTensor& filter = graph.tensor(node.inputs[1]);
  const auto axis = static_cast<size_t>(node.definition().filter_channel_axis);
  if (filter.type != DType::kFloat32) return false;
  const Shape shape = {filter.shape[axis]};
  const std::vector<float> zeros(static_cast<size_t>(shape[0]), 0);
  node.inputs.push_back(graph.AddConstant(FreeName(graph, StrCat(node.name, "/bias")), shape, zeros));
  return true;
}

void SeparateBiases(Graph& graph) {
  std::set<int32_t> taken;
  for (GraphNode& node : graph.nodes) {
    GiveBias(graph, node);
    const int32_t position = node.definition().bias_input;
    if (position < 0 || static_cast<size_t>(position) >= node.inputs.size()) continue;
    int32_t& bias = node.inputs[static_cast<size_t>(position)];
    if (taken.insert(bias).second) continue;
    GraphTensor copy = graph.tensor(bias);
    copy.name = FreeName(graph, StrCat(node.name, "/bias"));
    bias = graph.AddTensor(std::move(copy));
    taken.insert(bias);
  }
}

}  // namespace qat
