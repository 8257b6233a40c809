#include "eval/filter_resolution.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "ops/op.h"

namespace qat {
namespace {

constexpr int64_t kFewSteps = 16;  // sign and four bits

// The largest |quantized - zero_point| of every slice of `axis`.
std::vector<int64_t> StepsOfChannels(const ModelTensor& filter, size_t axis) {
  const auto channels = static_cast<size_t>(filter.shape[axis]);
  const auto inner = static_cast<size_t>(
      FlatSize({filter.shape.begin() + static_cast<int64_t>(axis) + 1, filter.shape.end()}));
  const bool is_signed = filter.type == DType::kInt8;
  std::vector<int64_t> steps(channels);
  for (size_t i = 0; i < filter.constant.size(); ++i) {
    const size_t channel = i / inner % channels;
    const int64_t zero_point = filter.zero_point[filter.zero_point.size() > 1 ? channel : 0];
    const int64_t quantized = is_signed ? static_cast<int8_t>(filter.constant[i]) : filter.constant[i];
    steps[channel] = std::max(steps[channel], std::abs(quantized - zero_point));
  }
  return steps;
}

const ModelTensor* QuantizedFilterOf(const Model& model, const ModelNode& node) {
  const int32_t place = DefinitionOf(node.type).filter_input;
  if (place < 0 || static_cast<size_t>(place) >= node.inputs.size() || node.inputs[place] < 0) return nullptr;
  const ModelTensor& filter = model.tensors()[node.inputs[place]];
  const bool is_byte = filter.type == DType::kUInt8 || filter.type == DType::kInt8;
  if (!is_byte || filter.constant.empty() || filter.zero_point.empty()) return nullptr;
  const auto axis = static_cast<size_t>(DefinitionOf(node.type).filter_channel_axis);
  const bool has_axis = axis < filter.shape.size();
  const bool fits = filter.zero_point.size() == 1 || filter.quantized_dimension == static_cast<int32_t>(axis);
  return has_axis && fits ? &filter : nullptr;
}

}  // namespace

std::map<std::string, FilterResolution> FilterResolutionsOf(const Model& model) {
  std::map<std::string, FilterResolution> found;
  for (const ModelNode& node : model.nodes()) {
    const ModelTensor* filter = QuantizedFilterOf(model, node);
    if (filter == nullptr) continue;
    const auto axis = static_cast<size_t>(DefinitionOf(node.type).filter_channel_axis);
    const std::vector<int64_t> steps = StepsOfChannels(*filter, axis);
    FilterResolution resolution;
    resolution.channels = static_cast<int64_t>(steps.size());
    resolution.least_steps = *std::min_element(steps.begin(), steps.end());
    resolution.coarse_channels =
        std::count_if(steps.begin(), steps.end(), [](int64_t each) { return each < kFewSteps; });
    found.emplace(model.tensors()[node.outputs[0]].name, resolution);
  }
  return found;
}

}  // namespace qat
