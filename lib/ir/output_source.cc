#include "ir/output_source.h"

#include <algorithm>

namespace qat {
namespace {

bool KeepsValues(OpType type) {
  return type == OpType::kReshape || type == OpType::kSqueeze || type == OpType::kExpandDims ||
         type == OpType::kTranspose || type == OpType::kQuantize || type == OpType::kDequantize ||
         type == OpType::kDropout;
}

}  // namespace

GraphNode* ProducerOf(Graph& graph, int32_t tensor) {
  const auto found = std::find_if(graph.nodes.rbegin(), graph.nodes.rend(), [&](const GraphNode& node) {
    return std::find(node.outputs.begin(), node.outputs.end(), tensor) != node.outputs.end();
  });
  return found == graph.nodes.rend() ? nullptr : &*found;
}

const GraphNode* ProducerOf(const Graph& graph, int32_t tensor) {
  return ProducerOf(const_cast<Graph&>(graph), tensor);
}

const GraphNode* SourceOfOutput(const Graph& graph, size_t position) {
  const GraphNode* node = ProducerOf(graph, graph.outputs[position]);
  while (node != nullptr && KeepsValues(node->type)) node = ProducerOf(graph, node->inputs[0]);
  return node;
}

bool EndsInSigmoid(const Graph& graph, size_t position) {
  const GraphNode* source = SourceOfOutput(graph, position);
  return source != nullptr && source->type == OpType::kLogistic;
}

bool GivesAnyNumber(const Graph& graph, size_t position) {
  const GraphNode* source = SourceOfOutput(graph, position);
  if (source == nullptr || FusedActivation(source->attributes) != Activation::kNone) return false;
  switch (source->type) {
    case OpType::kConv2D:
    case OpType::kDepthwiseConv2D:
    case OpType::kTransposeConv:
    case OpType::kFullyConnected:
    case OpType::kBatchNorm:
    case OpType::kAdd:
    case OpType::kSub:
    case OpType::kMul:
    case OpType::kMean:
    case OpType::kAveragePool2D:
      return true;
    default:
      return false;
  }
}

}  // namespace qat
