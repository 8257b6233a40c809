#include "import/integer_forms.h"

#include <algorithm>

#include "base/strings.h"
#include "ir/free_name.h"

namespace qat {
namespace {

bool IsReal(const Graph& graph, const GraphNode& node) {
  return graph.tensor(node.inputs[0]).type == DType::kFloat32 && !graph.tensor(node.inputs[0]).is_constant();
}

/// The one sum that reads the output of a node; null: something else does, too.
GraphNode* OnlySum(Graph& graph, const GraphNode& node) {
  const auto is_output = std::find(graph.outputs.begin(), graph.outputs.end(), node.output());
  if (is_output != graph.outputs.end()) return nullptr;
  GraphNode* reader = nullptr;
  for (GraphNode& each : graph.nodes) {
    const auto count = std::count(each.inputs.begin(), each.inputs.end(), node.output());
    if (count == 0) continue;
    if (reader != nullptr || count > 1) return nullptr;
    reader = &each;
  }
  return reader != nullptr && reader->type == OpType::kAdd ? reader : nullptr;
}

void BecomeProduct(GraphNode& node, int32_t factor) {
  node.type = OpType::kMul;
  node.attributes = DefinitionOf(OpType::kMul).default_attributes;
  node.inputs = {node.inputs[0], factor};
}

}  // namespace

void UseIntegerForms(Graph& graph, std::vector<std::string>& notes) {
  size_t count = 0;
  std::vector<std::string> gone;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    GraphNode& node = graph.nodes[i];
    if ((node.type != OpType::kNeg && node.type != OpType::kSquare) || !IsReal(graph, node)) continue;
    ++count;
    if (node.type == OpType::kSquare) {
      BecomeProduct(node, node.inputs[0]);
      continue;
    }
    if (GraphNode* sum = OnlySum(graph, node)) {
      const int32_t other = sum->inputs[0] == node.output() ? sum->inputs[1] : sum->inputs[0];
      sum->type = OpType::kSub;
      sum->inputs = {other, node.inputs[0]};
      gone.push_back(node.name);
      continue;
    }
    const std::string name = FreeName(graph, StrCat(node.name, "/factor"));
    BecomeProduct(node, graph.AddConstant(name, {}, std::vector<float>{-1}));
  }
  std::erase_if(graph.nodes, [&](const GraphNode& node) {
    return std::find(gone.begin(), gone.end(), node.name) != gone.end();
  });
  RemoveUnusedTensors(graph);
  if (count > 0)
    notes.push_back(StrCat(count,
                           count == 1 ? " negation or square became a product or a difference, which has"
                                      : " negations and squares became products or differences, which have",
                           " integer kernels"));
}

}  // namespace qat
