#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <span>

#include "base/half.h"
#include "base/slices.h"
#include "base/strings.h"
#include "ir/constants.h"
#include "ops/integer_kernels.h"
#include "passes/passes.h"
#include "quant/precision.h"

namespace qat {
namespace {

// A DEQUANTIZE with its tensor takes some 100 bytes of a file; each value saves 2.
constexpr int64_t kFewestHalves = 64;

// TFLite's converter leaves smaller filters alone: the time to quantize the input of a layer is not won back
// by them.
// Source    tensorflow/lite/tools/optimize/quantize_weights.cc, kWeightsMinNumElementsDefault.
constexpr int64_t kFewestBytes = 1024;
// In 8 bits alone, also smaller ones where that saves bytes: first and last layers of small networks. With
// 1,024, as TFLite's converter has it, the file of resnet8 was 2.9 % larger than ai-edge-quantizer's.
constexpr int64_t kFewestInEightBits = 256;

// Of each channel in the file: a scale of 4 bytes and a zero point of 8. Of each filter: a table for them
// (rounded up).
constexpr int64_t kBytesOfAChannel = 12, kBytesOfAScaleTable = 64;

bool IsRealConstant(const GraphTensor& tensor) {
  return tensor.is_constant() && tensor.type == DType::kFloat32;
}

/// `tensor` becomes computed, by a node in front of all others that widens its halves.
void StoreAsHalves(int32_t index, Graph& graph, std::vector<GraphNode>& widening) {
  std::vector<uint16_t> halves;
  for (const float value : RealValues(graph.tensor(index))) halves.push_back(HalfBits(value));
  GraphTensor stored;
  stored.name = StrCat(graph.tensor(index).name, "/float16");
  stored.shape = graph.tensor(index).shape;
  SetValues(stored, DType::kFloat16, halves);
  graph.tensor(index).data.clear();
  GraphNode node;
  node.type = OpType::kDequantize;
  node.name = graph.tensor(index).name;
  node.attributes = DefinitionOf(node.type).default_attributes;
  node.inputs = {graph.AddTensor(std::move(stored))};
  node.outputs = {index};
  widening.push_back(std::move(node));
}

void StoreFloat16(Graph& graph, std::vector<std::string>& warnings) {
  std::vector<GraphNode> widening;
  std::vector<std::string> too_large, too_small;
  const auto count = static_cast<int32_t>(graph.tensors.size());
  for (int32_t index = 0; index < count; ++index) {
    const GraphTensor& tensor = graph.tensor(index);
    if (!IsRealConstant(tensor) || FlatSize(tensor.shape) < kFewestHalves) continue;
    const std::vector<float> values = RealValues(tensor);
    float largest = 0;
    for (const float value : values) largest = std::max(largest, std::abs(value));
    if (largest > kLargestHalf) {
      too_large.push_back(tensor.name);
    } else if (largest > 0 && largest < kLeastNormalHalf) {
      too_small.push_back(tensor.name);
    } else {
      StoreAsHalves(index, graph, widening);
    }
  }
  graph.nodes.insert(graph.nodes.begin(), widening.begin(), widening.end());
  if (!too_large.empty())
    warnings.push_back(StrCat("kept as float32, since they have values beyond ", kLargestHalf,
                              ", the largest float16: ", Join(too_large)));
  if (!too_small.empty())
    warnings.push_back(StrCat("kept as float32, since all their values are below ", kLeastNormalHalf,
                              ", where float16 has ever fewer digits: ", Join(too_small)));
}

/// The filters that TFLite multiplies in integers with inputs that it quantizes while it runs.
bool HasHybridKernel(OpType type) {
  return type == OpType::kConv2D || type == OpType::kDepthwiseConv2D || type == OpType::kFullyConnected;
}

/// A range from -x to x is a finite number wide.
bool HasAScale(const GraphTensor& filter) {
  const std::vector<float> values = RealValues(filter);
  return std::all_of(values.begin(), values.end(),
                     [](float value) { return std::abs(value) <= std::numeric_limits<float>::max() / 2; });
}

/// Of each tensor whether its values are at least 0 whatever the input.
std::vector<bool> NeverNegative(const Graph& graph) {
  std::vector<bool> never(graph.tensors.size(), false);
  for (const GraphNode& node : graph.nodes) {
    const Activation activation = FusedActivation(node.attributes);
    bool clipped = activation == Activation::kRelu || activation == Activation::kRelu6;
    bool follows = false;
    switch (node.type) {
      case OpType::kRelu:
      case OpType::kRelu6:
      case OpType::kLogistic:
      case OpType::kSoftmax:
        clipped = true;
        break;
      case OpType::kAdd:
      case OpType::kMaxPool2D:
      case OpType::kAveragePool2D:
      case OpType::kMean:
      case OpType::kReduceMax:
      case OpType::kReshape:
      case OpType::kSqueeze:
      case OpType::kExpandDims:
      case OpType::kTranspose:
      case OpType::kPad:
      case OpType::kConcatenation:
        follows = true;
        break;
      default:
        break;
    }
    for (const int32_t input : node.inputs) {
      const bool is_data = input >= 0 && graph.tensor(input).type == DType::kFloat32;
      if (is_data && !never[static_cast<size_t>(input)]) follows = false;
    }
    for (const int32_t output : node.outputs) never[static_cast<size_t>(output)] = clipped || follows;
  }
  return never;
}

/// The integers of one channel, moved by one where that makes their sum what the sum of `reals` is, to half a
/// step: first those that were rounded farthest. Where no input of the sum is negative, errors of the nearest
/// integers that do not cancel move its mean, which with 4 bits is most of what is lost; inputs of both signs
/// have a mean near 0 as it is.
/// Source    Nagel et al., 2019, correct the mean in the bias, by data; here without.
void KeepSum(std::span<const float> reals, float scale, QuantizedLimits limits,
             std::span<int32_t> quantized) {
  const auto off = [&](size_t i) { return double(quantized[i]) - double{reals[i]} / scale; };
  std::vector<size_t> places;
  double sum = 0;
  for (size_t i = 0; i < reals.size(); ++i) {
    sum += off(i);
    // Ends of the grid stay: they make the scale.
    if (quantized[i] != limits.quant_min && quantized[i] != limits.quant_max) places.push_back(i);
  }
  const int32_t by = sum > 0 ? -1 : 1;
  const size_t moved =
      static_cast<size_t>(std::min(std::round(std::abs(sum)), static_cast<double>(places.size())));
  std::stable_sort(places.begin(), places.end(),
                   [&](size_t a, size_t b) { return by * off(a) < by * off(b); });
  for (size_t k = 0; k < moved; ++k) quantized[places[k]] += by;
}

/// Symmetric, with a scale per channel; of a fully connected layer of 8 bits with one, which every release
/// since 1.14 can run.
void QuantizeFilter(const OpDefinition& definition, const Precision& precision, bool keeps_sums,
                    GraphTensor& filter) {
  const std::vector<float> values = RealValues(filter);
  const bool per_channel = definition.type != OpType::kFullyConnected || precision.bits < 8;
  const auto axis = static_cast<size_t>(definition.filter_channel_axis);  // where sums are kept the first
  const auto channels = per_channel ? static_cast<size_t>(filter.shape[axis]) : 1;
  const size_t inner = InnerSize(filter.shape, axis);
  std::vector<float> largest(channels);
  for (size_t i = 0; i < values.size(); ++i) {
    float& reach = largest[i / inner % channels];
    reach = std::max(reach, std::abs(values[i]));
  }
  TensorQuantization quantization;
  quantization.dimension = per_channel ? definition.filter_channel_axis : 0;
  std::vector<QuantizationParams> params;
  for (const float reach : largest) {
    params.push_back(NudgedParams(RangeFor(precision, {-reach, reach}), LimitsOf(precision)));
    quantization.scale.push_back(params.back().scale);
    quantization.zero_point.push_back(0);
  }
  std::vector<int32_t> quantized;
  for (size_t i = 0; i < values.size(); ++i)
    quantized.push_back(QuantizeFakeQuant(values[i], params[i / inner % channels], LimitsOf(precision)));
  for (size_t c = 0; keeps_sums && c < channels; ++c) {
    KeepSum(std::span(values).subspan(c * inner, inner), params[c].scale, LimitsOf(precision),
            std::span(quantized).subspan(c * inner, inner));
  }
  SetIntegers(filter, precision.type, quantized);
  filter.quantization = std::move(quantization);
}

/// Which operator reads each constant as its filter; constants that something else reads, too, are left out.
std::map<int32_t, const OpDefinition*> HybridFilters(const Graph& graph) {
  std::map<int32_t, const OpDefinition*> filters;
  std::map<int32_t, bool> otherwise;
  for (const GraphNode& node : graph.nodes) {
    const OpDefinition& definition = DefinitionOf(node.type);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const int32_t input = node.inputs[i];
      if (input < 0 || !IsRealConstant(graph.tensor(input))) continue;
      const bool filter = HasHybridKernel(node.type) && static_cast<int32_t>(i) == definition.filter_input;
      const auto [known, is_new] = filters.try_emplace(input, &definition);
      if (!filter || (!is_new && known->second != &definition)) otherwise[input] = true;
    }
  }
  std::erase_if(filters, [&](const auto& each) { return otherwise.contains(each.first); });
  return filters;
}

/// Filters of layers whose inputs are never negative.
std::set<int32_t> ReadNoNegatives(const Graph& graph) {
  const std::vector<bool> never = NeverNegative(graph);
  std::set<int32_t> filters, others;
  for (const GraphNode& node : graph.nodes) {
    const int32_t filter = node.InputAt(node.definition().filter_input);
    if (filter < 0) continue;
    const int32_t data = node.InputAt(node.definition().data_input);
    (never[static_cast<size_t>(data)] ? filters : others).insert(filter);
  }
  std::erase_if(filters, [&](int32_t filter) { return others.contains(filter); });
  return filters;
}

/// Whether a filter with a scale per channel takes less of the file in 8 bits than as float32.
bool SavesBytes(const OpDefinition& definition, const Shape& shape) {
  const int64_t channels = shape[static_cast<size_t>(definition.filter_channel_axis)];
  return FlatSize(shape) * 3 > channels * kBytesOfAChannel + kBytesOfAScaleTable;
}

/// In 4 bits, filters of fewer than `kFewestBytes` values have 8: who asks for 4 asks for a small file, and
/// these are the filters, of first and last layers mostly, that lose most by 4 bits and save least.
void StoreIntegers(const Precision& precision, Graph& graph, std::vector<std::string>& warnings) {
  int64_t stored = 0;
  std::vector<std::string> wider, too_large;
  const std::set<int32_t> behind_a_relu = ReadNoNegatives(graph);
  for (const auto& [index, definition] : HybridFilters(graph)) {
    const Shape& shape = graph.tensor(index).shape;
    const bool large = FlatSize(shape) >= kFewestBytes;
    const int64_t fewest = precision.bits == 8 ? kFewestInEightBits : 1;
    if (!large && (FlatSize(shape) < fewest || !SavesBytes(*definition, shape))) continue;
    if (!HasAScale(graph.tensor(index))) {
      too_large.push_back(graph.tensor(index).name);
      continue;
    }
    const bool fits = precision.bits == 8 || Int4HybridVersionOf(definition->type).version > 0;
    if (large && !fits) wider.push_back(StrCat("'", graph.tensor(index).name, "' (", definition->name, ")"));
    const Precision& own = large && fits ? precision : kInt8FiltersPerAxis;
    QuantizeFilter(*definition, own, own.bits < 8 && behind_a_relu.contains(index), graph.tensor(index));
    ++stored;
  }
  if (!too_large.empty())
    warnings.push_back(StrCat("kept as float32, since their values reach beyond half of the largest float: ",
                              Join(too_large)));
  if (!wider.empty())
    warnings.push_back(
        StrCat("TFLite takes no 4 bits of these filters beside real numbers, so they have 8: ", Join(wider)));
  if (stored == 0)
    warnings.push_back(
        precision.bits == 8
            ? StrCat("no filter has ", kFewestInEightBits, " values or more: nothing was stored in 8 bits")
            : "no filter would be smaller as integers: nothing was stored in 4 bits");
}

}  // namespace

void StoreWeights(WeightStorage storage, Graph& graph, std::vector<std::string>& warnings) {
  if (storage == WeightStorage::kFloat16) StoreFloat16(graph, warnings);
  if (storage == WeightStorage::kInt8) StoreIntegers(kInt8FiltersPerAxis, graph, warnings);
  if (storage == WeightStorage::kInt4) StoreIntegers(kInt4FiltersPerAxis, graph, warnings);
}

}  // namespace qat
