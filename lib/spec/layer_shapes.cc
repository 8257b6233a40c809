#include "spec/layer_shapes.h"

#include "base/strings.h"
#include "ops/input_order.h"

namespace qat {
namespace {

constexpr int64_t kLargestTensor = int64_t{1} << 28;

Status ExpectSmallEnough(std::string_view what, const Shape& shape) {
  if (FlatSize(shape) <= kLargestTensor) return {};
  return InvalidArgument(
      StrCat(what, " is ", ToString(shape), ", expected at most ", kLargestTensor, " values"));
}

Status InferParameters(const Shape& input, LayerSpec& layer) {
  layer.parameters.clear();
  if (layer.definition().parameters == nullptr) return {};
  layer.parameters = layer.definition().parameters(layer.attributes, input);
  if (layer.parameters.empty()) {
    return InvalidArgument(StrCat("input is ", ToString(input), ", expected an image [1, H, W, C]"));
  }
  for (const ParameterSpec& parameter : layer.parameters) {
    QAT_RETURN_IF_ERROR(ExpectSmallEnough(parameter.suffix, parameter.shape));
  }
  return {};
}

}  // namespace

Status InferLayer(const NetworkSpec& spec, LayerSpec& layer) {
  const OpDefinition& op = layer.definition();
  const Shape& input = spec.ShapeOf(layer.inputs[0]);
  QAT_RETURN_IF_ERROR(InferParameters(input, layer));
  std::vector<Operand> data;
  for (const int32_t index : layer.inputs) data.push_back({spec.ShapeOf(index), DType::kFloat32, {}});
  std::vector<std::pair<ParameterSpec::Role, Operand>> parameters;
  for (const ParameterSpec& parameter : layer.parameters) {
    parameters.push_back({parameter.role, {parameter.shape, DType::kFloat32, {}}});
  }
  // An axis has no attribute: its operand must be there for the rule. Shapes of reshapes are attributes too.
  std::vector<IndexOperand> indices;
  std::vector<Operand> index_operands;
  if (op.index_operands != nullptr && static_cast<size_t>(op.min_inputs) > data.size() + parameters.size()) {
    indices = op.index_operands(layer.attributes, input);
    for (const IndexOperand& index : indices) {
      const auto* bytes = reinterpret_cast<const uint8_t*>(index.values.data());
      index_operands.push_back(
          {index.shape, DType::kInt32, std::span(bytes, index.values.size() * sizeof(int32_t))});
    }
  }
  const std::vector<Operand> operands = OrderInputs(op, data, parameters, index_operands);
  QAT_ASSIGN_OR_RETURN(layer.output_shape, op.infer_shape(layer.attributes, operands));
  QAT_RETURN_IF_ERROR(ExpectSmallEnough("output", layer.output_shape));
  if (op.multiply_accumulates != nullptr) {
    layer.multiply_accumulates = op.multiply_accumulates(operands, layer.output_shape);
  }
  return {};
}

}  // namespace qat
