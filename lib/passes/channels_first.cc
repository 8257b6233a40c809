#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "ir/free_name.h"
#include "passes/passes.h"

namespace qat {
namespace {

/// No value has another place: a reshape is enough.
bool NothingMoves(const Shape& last) {
  return last.back() == 1 ||
         std::all_of(last.begin() + 1, last.end() - 1, [](int32_t size) { return size == 1; });
}

/// The twin of a border tensor with the channels first gets its name; `node` leads from one to the other.
int32_t AddTwin(int32_t border, Graph& graph) {
  GraphTensor twin = graph.tensor(border);
  std::rotate(twin.shape.begin() + 1, twin.shape.end() - 1, twin.shape.end());
  graph.tensor(border).name = FreeName(graph, StrCat(twin.name, "/channels_last"));
  for (GraphNode& node : graph.nodes) {
    if (node.name == twin.name) node.name = graph.tensor(border).name;
  }
  return graph.AddTensor(std::move(twin));
}

GraphNode Turning(const Shape& last, bool to_first, int32_t from, int32_t to, Graph& graph) {
  GraphNode node;
  node.name = graph.tensor(to).name;
  node.outputs = {to};
  Shape sizes = graph.tensor(to).shape;
  if (NothingMoves(last)) {
    sizes[0] = -1;  // any number of examples
    node.type = OpType::kReshape;
    node.attributes = ReshapeAttributes{sizes};
  } else {
    node.type = OpType::kTranspose;
    node.attributes = TransposeAttributes{};
    for (size_t i = 0; i < sizes.size(); ++i) sizes[i] = static_cast<int32_t>(i);
    if (to_first)
      std::rotate(sizes.begin() + 1, sizes.end() - 1, sizes.end());
    else
      std::rotate(sizes.begin() + 1, sizes.begin() + 2, sizes.end());
  }
  const std::string operand =
      FreeName(graph, StrCat(node.name, node.type == OpType::kReshape ? "/shape" : "/perm"));
  node.inputs = {from, graph.AddConstant(operand, {static_cast<int32_t>(sizes.size())}, sizes)};
  return node;
}

}  // namespace

bool TakeChannelsFirst(size_t index, Graph& graph) {
  const int32_t taken = graph.inputs.at(index);
  const Shape last = graph.tensor(taken).shape;
  const int32_t first = AddTwin(taken, graph);
  graph.inputs[index] = first;
  graph.nodes.insert(graph.nodes.begin(), Turning(last, false, first, taken, graph));
  graph.contract.inputs.at(index).channels_first = true;
  return graph.nodes.front().type == OpType::kTranspose;
}

bool GiveChannelsFirst(size_t index, Graph& graph) {
  const int32_t given = graph.outputs.at(index);
  const Shape last = graph.tensor(given).shape;
  const int32_t first = AddTwin(given, graph);
  graph.outputs[index] = first;
  graph.nodes.push_back(Turning(last, true, given, first, graph));
  std::vector<OutputContract>& outputs = graph.contract.outputs;
  outputs.resize(std::max(outputs.size(), graph.outputs.size()));
  for (size_t i = 0; i < outputs.size() && outputs.size() > 1; ++i) {
    if (outputs[i].name.empty()) outputs[i].name = graph.tensor(graph.outputs[i]).name;
  }
  outputs[index].channels_first = true;
  return graph.nodes.back().type == OpType::kTranspose;
}

}  // namespace qat
