#include "eval/ranges.h"

#include "quant/scheme.h"

namespace qat {
namespace {

LayerRange Describe(const std::string& layer, QuantizationParams params, QuantizedLimits limits) {
  const Range real = RepresentableRange(params, limits);
  return {layer, real.min, real.max, params.scale, params.zero_point};
}

}  // namespace

std::vector<LayerRange> RangesOf(const Checkpoint& checkpoint) {
  std::vector<LayerRange> ranges;
  for (const auto& [name, named] : checkpoint.ranges) {
    const Scheme scheme = checkpoint.scheme == "int8" ? Scheme::kInt8 : Scheme::kUInt8;
    const QuantizedLimits limits =
        name.ends_with("/filter") ? FilterLimitsOf(scheme) : ActivationLimitsOf(scheme);
    ranges.push_back(Describe(name, NudgedParams(IncludingZero(named.range), limits), limits));
  }
  return ranges;
}

std::vector<LayerRange> RangesOf(const Graph& graph) {
  std::vector<LayerRange> ranges;
  for (const GraphTensor& tensor : graph.tensors) {
    if (!tensor.has_range) continue;
    ranges.push_back(
        Describe(tensor.name, NudgedParams(IncludingZero(tensor.range), tensor.limits), tensor.limits));
  }
  return ranges;
}

std::vector<LayerRange> RangesOf(const Model& model) {
  std::vector<LayerRange> ranges;
  for (const ModelTensor& tensor : model.tensors()) {
    const bool is_byte = tensor.type == DType::kUInt8 || tensor.type == DType::kInt8;
    if (!is_byte || tensor.scale.size() != 1 || tensor.zero_point.size() != 1) continue;
    const QuantizedLimits limits = tensor.type == DType::kUInt8 ? kUInt8Limits : kInt8Limits;
    ranges.push_back(
        Describe(tensor.name, {tensor.scale[0], static_cast<int32_t>(tensor.zero_point[0])}, limits));
  }
  return ranges;
}

}  // namespace qat
