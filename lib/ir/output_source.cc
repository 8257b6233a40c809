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

const GraphNode* SourceOfOutput(const Graph& graph, size_t position) {
  int32_t tensor = graph.outputs[position];
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (std::find(node->outputs.begin(), node->outputs.end(), tensor) == node->outputs.end()) continue;
    if (!KeepsValues(node->type)) return &*node;
    tensor = node->inputs[0];
  }
  return nullptr;
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
