#include "ir/graph.h"

#include <bit>
#include <cstring>

#include "base/strings.h"
#include "ir/reorder.h"

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
  GraphNode node;
  node.type = type;
  node.name = std::move(node_name);
  node.attributes = std::move(attributes);
  node.inputs = std::move(node_inputs);
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

int32_t Graph::AddTrained(std::string tensor_name, Shape shape, TrainedTensor trained) {
  GraphTensor tensor;
  tensor.name = std::move(tensor_name);
  tensor.shape = std::move(shape);
  tensor.trained = trained;
  return AddTensor(std::move(tensor));
}

std::vector<size_t> DataInputs(const Graph& graph, const GraphNode& node) {
  const OpDefinition& definition = node.definition();
  std::vector<size_t> positions;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const auto position = static_cast<int32_t>(i);
    if (position == definition.filter_input || position == definition.bias_input) continue;
    const GraphTensor& tensor = graph.tensor(node.inputs[i]);
    if (tensor.trained) continue;
    if (!tensor.is_constant() || tensor.type == DType::kFloat32 || tensor.quantization)
      positions.push_back(i);
  }
  return positions;
}

std::vector<int32_t> TrainedTensorsOf(const Graph& graph, const GraphNode& node) {
  const OpDefinition& definition = node.definition();
  std::vector<int32_t> trained;
  const auto add = [&](int32_t position) {
    const int32_t index = node.InputAt(position);
    if (index >= 0 && graph.tensor(index).trained) trained.push_back(index);
  };
  add(definition.filter_input);
  add(definition.bias_input);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const auto position = static_cast<int32_t>(i);
    if (position != definition.filter_input && position != definition.bias_input) add(position);
  }
  if (const auto& norm = node.batch_norm)
    trained.insert(trained.end(), {norm->gamma, norm->beta, norm->moving_mean, norm->moving_variance});
  return trained;
}

std::string SuffixOf(const std::string& tensor, const std::string& node) {
  return tensor.starts_with(node + "/") ? tensor.substr(node.size() + 1) : tensor;
}

int64_t MultiplyAccumulates(const Graph& graph, const GraphNode& node) {
  const OpDefinition& definition = node.definition();
  if (definition.multiply_accumulates == nullptr || node.outputs.empty()) return 0;
  return definition.multiply_accumulates(graph.OperandsOf(node), graph.tensor(node.outputs[0]).shape);
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
    if (const auto& norm = node.batch_norm)
      mark({norm->gamma, norm->beta, norm->moving_mean, norm->moving_variance});
  }
  std::vector<int32_t> order;
  for (size_t i = 0; i < moved.size(); ++i) {
    if (moved[i] == 0) order.push_back(static_cast<int32_t>(i));
  }
  ReorderTensors(graph, order);
}

void ReorderTensors(Graph& graph, const std::vector<int32_t>& order) {
  std::vector<int32_t> moved(graph.tensors.size(), -1);
  std::vector<GraphTensor> kept;
  for (const int32_t index : order) {
    moved[static_cast<size_t>(index)] = static_cast<int32_t>(kept.size());
    kept.push_back(std::move(graph.tensor(index)));
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
    if (!node.batch_norm) continue;
    FusedBatchNorm& norm = *node.batch_norm;
    for (int32_t* index : {&norm.gamma, &norm.beta, &norm.moving_mean, &norm.moving_variance})
      *index = moved[static_cast<size_t>(*index)];
  }
}

}  // namespace qat
