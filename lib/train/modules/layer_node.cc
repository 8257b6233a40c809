#include "train/modules/layer_node.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace qat {
namespace {

std::vector<int32_t> Integers(const GraphTensor& tensor) {
  std::vector<int32_t> values(static_cast<size_t>(FlatSize(tensor.shape)));
  for (size_t i = 0; i < values.size(); ++i) {
    if (tensor.type == DType::kInt64) {
      int64_t wide;
      std::memcpy(&wide, &tensor.data[i * sizeof(wide)], sizeof(wide));
      values[i] = static_cast<int32_t>(wide);
    } else {
      std::memcpy(&values[i], &tensor.data[i * sizeof(int32_t)], sizeof(int32_t));
    }
  }
  return values;
}

bool IsIndexConstant(const GraphTensor& tensor) {
  return tensor.is_constant() && (tensor.type == DType::kInt32 || tensor.type == DType::kInt64);
}

// Names come from the operator's rule, in the order of the constants.
std::vector<IndexOperand> IndicesOf(const Graph& graph, const GraphNode& node, const Shape& data) {
  std::vector<IndexOperand> named;
  if (node.definition().index_operands != nullptr)
    named = node.definition().index_operands(node.attributes, data);
  std::vector<IndexOperand> indices;
  for (const int32_t input : node.inputs) {
    const GraphTensor& tensor = graph.tensor(input);
    if (!IsIndexConstant(tensor)) continue;
    const size_t i = indices.size();
    indices.push_back(
        {i < named.size() ? named[i].suffix : std::string_view(), tensor.shape, Integers(tensor)});
  }
  return indices;
}

}  // namespace

const LayerParameter* LayerNode::Find(ParameterSpec::Role role) const {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [role](const LayerParameter& each) { return each.trained.role == role; });
  return found == parameters.end() ? nullptr : &*found;
}

const std::vector<int32_t>& LayerNode::Values(std::string_view suffix) const {
  const auto found = std::find_if(indices.begin(), indices.end(),
                                  [&](const IndexOperand& each) { return each.suffix == suffix; });
  QAT_CHECK(found != indices.end());
  return found->values;
}

std::vector<Operand> LayerNode::Operands() const {
  std::vector<Operand> operands;
  for (const Input& input : inputs) operands.push_back({input.shape, input.type, input.constant});
  return operands;
}

LayerNode LayerNodeOf(const Graph& graph, const GraphNode& node, size_t output) {
  LayerNode layer;
  const GraphTensor& tensor = graph.tensor(node.outputs.at(output));
  layer.name = tensor.name;
  layer.node_name = node.name;
  layer.type = node.type;
  layer.attributes = node.attributes;
  layer.output = static_cast<int32_t>(output);
  layer.output_shape = tensor.shape;
  layer.batch_norm = node.batch_norm;
  for (const size_t position : DataInputs(graph, node))
    layer.input_shapes.push_back(graph.tensor(node.inputs[position]).shape);
  for (const int32_t index : TrainedTensorsOf(graph, node)) {
    const GraphTensor& parameter = graph.tensor(index);
    layer.parameters.push_back({parameter.name, parameter.shape, *parameter.trained});
  }
  for (const int32_t index : node.inputs) {
    const GraphTensor& input = graph.tensor(index);
    layer.inputs.push_back({input.shape, input.type, IsIndexConstant(input) ? input.data : Bytes()});
  }
  layer.indices = IndicesOf(graph, node, layer.input_shapes.empty() ? Shape() : layer.input_shapes[0]);
  return layer;
}

}  // namespace qat
