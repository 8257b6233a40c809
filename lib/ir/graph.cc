#include "ir/graph.h"

#include <bit>
#include <cstring>

#include "base/strings.h"

namespace qat {
namespace {

static_assert(std::endian::native == std::endian::little, "constants are stored as they lie in memory");

template <class T>
GraphTensor Constant(std::string name, Shape shape, std::span<const T> values) {
  QAT_CHECK(FlatSize(shape) == std::ssize(values) && !values.empty());
  GraphTensor tensor;
  tensor.name = std::move(name);
  tensor.shape = std::move(shape);
  tensor.type = DTypeOf<T>::value;
  tensor.data.resize(values.size_bytes());
  std::memcpy(tensor.data.data(), values.data(), values.size_bytes());
  return tensor;
}

}  // namespace

int32_t Graph::AddTensor(GraphTensor tensor) {
  tensors.push_back(std::move(tensor));
  return static_cast<int32_t>(tensors.size()) - 1;
}

int32_t Graph::AddConstant(std::string tensor_name, Shape shape, std::span<const float> values) {
  return AddTensor(Constant(std::move(tensor_name), std::move(shape), values));
}

int32_t Graph::AddConstant(std::string tensor_name, Shape shape, std::span<const int32_t> values) {
  return AddTensor(Constant(std::move(tensor_name), std::move(shape), values));
}

Expected<int32_t> Graph::AddNode(OpType type, std::string node_name, OpAttributes attributes,
                                 std::vector<int32_t> node_inputs) {
  const OpDefinition& definition = DefinitionOf(type);
  GraphNode node{type, std::move(node_name), std::move(attributes), std::move(node_inputs), {}};
  const std::vector<Operand> operands = OperandsOf(node);
  QAT_ASSIGN_OR_RETURN_IN(StrCat("node '", node.name, "'"), const std::vector<Shape> shapes,
                          InferShapes(definition, node.attributes, operands));
  const DType output_type = OutputType(definition, node.attributes, operands);
  for (size_t i = 0; i < shapes.size(); ++i) {
    GraphTensor output;
    output.name = shapes.size() == 1 ? node.name : StrCat(node.name, ":", i);
    output.shape = shapes[i];
    output.type = output_type;
    node.outputs.push_back(AddTensor(std::move(output)));
  }
  nodes.push_back(std::move(node));
  return nodes.back().outputs[0];
}

std::vector<Operand> Graph::OperandsOf(const GraphNode& node) const {
  std::vector<Operand> operands;
  for (int32_t index : node.inputs) {
    const GraphTensor& t = tensor(index);
    operands.push_back({t.shape, t.type, t.data});
  }
  return operands;
}

void RemoveUnusedTensors(Graph& graph) {
  std::vector<int32_t> moved(graph.tensors.size(), -1);
  const auto mark = [&](const std::vector<int32_t>& indices) {
    for (const int32_t index : indices) moved[static_cast<size_t>(index)] = 0;
  };
  mark(graph.inputs);
  mark(graph.outputs);
  for (const GraphNode& node : graph.nodes) {
    mark(node.inputs);
    mark(node.outputs);
  }
  std::vector<GraphTensor> kept;
  for (size_t i = 0; i < moved.size(); ++i) {
    if (moved[i] < 0) continue;
    moved[i] = static_cast<int32_t>(kept.size());
    kept.push_back(std::move(graph.tensors[i]));
  }
  graph.tensors = std::move(kept);
  const auto renumber = [&](std::vector<int32_t>& indices) {
    for (int32_t& index : indices) index = moved[static_cast<size_t>(index)];
  };
  renumber(graph.inputs);
  renumber(graph.outputs);
  for (GraphNode& node : graph.nodes) {
    renumber(node.inputs);
    renumber(node.outputs);
  }
}

}  // namespace qat
