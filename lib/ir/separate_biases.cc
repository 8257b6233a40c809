#include "ir/separate_biases.h"

#include <set>

#include "base/strings.h"
#include "ir/free_name.h"

namespace qat {

namespace {

/// XNNPACK's delegate reads the third input of a DEPTHWISE_CONV_2D whether it has one or not.
void GiveBias(GraphNode& node, Graph& graph) {
  if (node.type != OpType::kDepthwiseConv2D || node.inputs.size() != 2) return;
  const GraphTensor& filter = graph.tensor(node.InputAt(node.definition().filter_input));
  if (filter.type != DType::kFloat32) return;
  const Shape shape = {filter.shape.back()};
  const std::vector<float> zeros(static_cast<size_t>(shape[0]), 0);
  node.inputs.push_back(graph.AddConstant(FreeName(graph, StrCat(node.name, "/bias")), shape, zeros));
}

}  // namespace

void SeparateBiases(Graph& graph) {
  std::set<int32_t> taken;
  for (GraphNode& node : graph.nodes) {
    GiveBias(node, graph);
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
