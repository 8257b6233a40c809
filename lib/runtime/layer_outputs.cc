#include "runtime/layer_outputs.h"

#include <algorithm>
#include <cstring>

#include "base/strings.h"
#include "contract/inside_name.h"
#include "quant/scheme.h"

namespace qat {
namespace {

bool IsLayerType(const ModelTensor& tensor) {
  if (tensor.type == DType::kFloat32) return true;
  const bool is_byte = tensor.type == DType::kUInt8 || tensor.type == DType::kInt8;
  return is_byte && tensor.scale.size() == 1 && tensor.zero_point.size() == 1;
}

template <class T>
void AppendReal(std::span<const uint8_t> bytes, QuantizationParams params, std::vector<float>& values) {
  values.reserve(bytes.size());
  for (const uint8_t byte : bytes) values.push_back(Dequantize(static_cast<T>(byte), params));
}

}  // namespace

std::vector<LayerTensor> LayerTensors(const Interpreter& interpreter) {
  const Model& model = interpreter.model();
  std::vector<LayerTensor> tensors;
  const auto add = [&](int32_t index, int32_t node, std::string_view op) {
    const ModelTensor& info = interpreter.tensor_info(index);
    if (info.is_constant || !IsLayerType(info)) return;
    tensors.push_back({index, node, std::string(op), std::string(NameInNetwork(info.name)), &info});
  };
  const auto is_inside = [&](int32_t input) {
    const std::string inside = StrCat(interpreter.tensor_info(input).name, kInsideSuffix);
    return std::any_of(model.tensors().begin(), model.tensors().end(),
                       [&](const ModelTensor& tensor) { return tensor.name == inside; });
  };
  for (const int32_t input : model.inputs()) {
    if (!is_inside(input)) add(input, -1, "input");
  }
  for (size_t i = 0; i < model.nodes().size(); ++i) {
    const ModelNode& node = model.nodes()[i];
    for (const int32_t output : node.outputs) {
      add(output, static_cast<int32_t>(i), DefinitionOf(node.type).name);
    }
  }
  return tensors;
}

LayerOutput ReadLayer(const LayerTensor& tensor, std::span<const uint8_t> bytes) {
  LayerOutput output;
  output.layer = tensor.name;
  output.op = tensor.op;
  output.index = tensor.node;
  if (tensor.info->type == DType::kFloat32) {
    output.values.resize(bytes.size() / sizeof(float));
    std::memcpy(output.values.data(), bytes.data(), output.values.size() * sizeof(float));
    return output;
  }
  output.step = tensor.info->scale[0];
  output.zero_point = static_cast<int32_t>(tensor.info->zero_point[0]);
  const QuantizationParams params = {output.step, output.zero_point};
  if (tensor.info->type == DType::kUInt8) {
    AppendReal<uint8_t>(bytes, params, output.values);
  } else {
    output.quant_min = kInt8Limits.quant_min;
    AppendReal<int8_t>(bytes, params, output.values);
  }
  return output;
}

}  // namespace qat
