#include "eval/ranges.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <string>

#include "contract/inside_name.h"
#include "eval/histogram.h"
#include "ir/range_groups.h"
#include "quant/precision.h"

namespace qat {
namespace {

LayerRange Describe(const std::string& layer, QuantizationParams params, QuantizedLimits limits) {
  const Range real = RepresentableRange(params, limits);
  return {layer, real.min, real.max, params.scale, params.zero_point};
}

constexpr size_t kCells = 48;

bool HasWidth(const LayerRange& range) { return range.max > range.min; }

// The float values of a constant.
void AddHistogram(const GraphTensor& tensor, LayerRange& range) {
  if (!tensor.is_constant() || tensor.type != DType::kFloat32 || !HasWidth(range)) return;
  range.histogram = EmptyHistogram(range.min, range.max, kCells);
  for (size_t i = 0; i + sizeof(float) <= tensor.data.size(); i += sizeof(float)) {
    float value;
    std::memcpy(&value, &tensor.data[i], sizeof value);
    Count(value, *range.histogram);
  }
}

// The real values that the bytes of a constant stand for.
void AddHistogram(const ModelTensor& tensor, QuantizationParams params, LayerRange& range) {
  if (tensor.constant.empty() || !HasWidth(range)) return;
  range.histogram = EmptyHistogram(range.min, range.max, kCells);
  const bool is_signed = tensor.type == DType::kInt8;
  for (const uint8_t byte : tensor.constant) {
    const int32_t quantized = is_signed ? static_cast<int8_t>(byte) : byte;
    Count(Dequantize(quantized, params), *range.histogram);
  }
}

// Outputs that share a scale (what a concatenation reads) have the union of the ranges observed on each of
// them. A checkpoint holds the observed ranges, a graph the shared ones.
std::map<std::string, Range> SharedRanges(const Checkpoint& checkpoint) {
  std::map<std::string, Range> shared;
  for (const auto& [name, named] : checkpoint.ranges) shared[name] = IncludingZero(named.range);
  const Graph& network = checkpoint.network;
  for (const RangeGroup& group : FindRangeGroups(network).groups) {
    Range all;
    for (const int32_t tensor : group.observed) {
      const auto found = shared.find(network.tensor(tensor).name);
      if (found != shared.end()) all = UnionOf(all, found->second);
    }
    all = group.With(all);
    for (const int32_t tensor : group.observed) {
      const auto found = shared.find(network.tensor(tensor).name);
      if (found != shared.end()) found->second = all;
    }
  }
  return shared;
}

}  // namespace

std::vector<LayerRange> RangesOf(const Checkpoint& checkpoint) {
  std::vector<LayerRange> ranges;
  for (const auto& [name, range] : SharedRanges(checkpoint)) {
    if (!std::isfinite(range.max - range.min)) continue;  // of a group that freezing refuses
    const Precisions precisions = IntegersFromName(checkpoint.scheme).value_or(PrecisionsOf(Scheme::kUInt8));
    const QuantizedLimits limits =
        LimitsOf(name.ends_with("/filter") ? precisions.filters : precisions.activations);
    ranges.push_back(Describe(name, NudgedParams(range, limits), limits));
  }
  return ranges;
}

std::vector<LayerRange> RangesOf(const Graph& graph) {
  std::vector<LayerRange> ranges;
  for (const GraphTensor& tensor : graph.tensors) {
    if (!tensor.has_range) continue;
    ranges.push_back(
        Describe(tensor.name, NudgedParams(IncludingZero(tensor.range), tensor.limits), tensor.limits));
    AddHistogram(tensor, ranges.back());
  }
  return ranges;
}

std::vector<LayerRange> RangesOf(const Model& model) {
  std::vector<LayerRange> ranges;
  for (const ModelTensor& tensor : model.tensors()) {
    const bool is_byte = tensor.type == DType::kUInt8 || tensor.type == DType::kInt8;
    if (!is_byte || tensor.scale.size() != 1 || tensor.zero_point.size() != 1) continue;
    const QuantizedLimits limits = tensor.type == DType::kUInt8 ? kUInt8Limits : kInt8Limits;
    const QuantizationParams params = {tensor.scale[0], static_cast<int32_t>(tensor.zero_point[0])};
    ranges.push_back(Describe(std::string(NameInNetwork(tensor.name)), params, limits));
    AddHistogram(tensor, params, ranges.back());
  }
  return ranges;
}

}  // namespace qat
