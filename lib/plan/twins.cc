#include "plan/twins.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/strings.h"
#include "ops/integer_kernels.h"
#include "ops/padding.h"
#include "plan/stays_real.h"
#include "quant/fixed_point.h"

namespace qat {
namespace {

constexpr int kByteShift = 128;
/// Of all scales about 1 in 80 will do; 65,536 units in the last place are under 0.8 % of a step.
constexpr int kMostUnits = 1 << 16;

/// Of one axis of a window: whether any place of it covers an even number of pixels.
bool CoversEven(const WindowExtent& extent, int32_t input, int32_t filter, int32_t stride) {
  for (int32_t i = 0; i < extent.output; ++i) {
    const int32_t first = i * stride - extent.before;
    const int32_t covered = std::min(first + filter, input) - std::max(first, 0);
    if (covered % 2 == 0) return true;
  }
  return false;
}

/// uint8 rounds halves up, int8 away from zero: below 0 they differ. A mean of an odd number of integers is
/// no half.
bool AveragesEven(const Graph& graph, const GraphNode& node) {
  const auto& pool = std::get<Pool2DAttributes>(node.attributes);
  const Shape& image = graph.tensor(node.inputs[0]).shape;
  const auto even = [&](size_t axis, int32_t filter, int32_t stride) {
    return CoversEven(ComputeWindow(pool.padding, image[axis], filter, stride), image[axis], filter, stride);
  };
  return even(1, pool.filter_h, pool.stride_h) || even(2, pool.filter_w, pool.stride_w);
}

/// Indices and the like are the same to both.
bool ReadsReals(const Graph& graph, const GraphNode& node) {
  return std::any_of(node.inputs.begin(), node.inputs.end(),
                     [&](int32_t input) { return graph.tensor(input).type == DType::kFloat32; });
}

std::string ObstacleOf(const Graph& graph, const GraphNode& node) {
  if (!RunsOn(node.type, DType::kUInt8)) return "has no kernel for uint8";
  if (!RunsOn(node.type, DType::kInt8)) return "has no kernel for int8";
  if (node.type == OpType::kAveragePool2D && AveragesEven(graph, node))
    return "means of an even number of pixels are rounded differently; a window of odd sides or the operator "
           "mean is not";
  return std::string(TwinObstacle(node.type));
}

/// Those whose kernel for int8 multiplies the scales in double; fully connected layers of one scale do it as
/// for uint8.
bool MultipliesInDouble(OpType type) {
  return type == OpType::kConv2D || type == OpType::kDepthwiseConv2D || type == OpType::kTransposeConv;
}

class ScaleMatcher {
 public:
  ScaleMatcher(const Graph& graph, QuantizationPlan& plan, std::vector<std::string>& warnings)
      : graph_(graph), plan_(plan), warnings_(warnings) {
    for (TensorPlan& each : plan.tensors) by_tensor_[each.tensor] = &each;
  }

  Status Run() {
    for (const GraphNode& node : graph_.nodes) {
      const OpDefinition& definition = node.definition();
      if (definition.filter_input < 0) continue;
      const int32_t data = node.inputs[static_cast<size_t>(definition.data_input)];
      const auto filter = by_tensor_.find(node.inputs[static_cast<size_t>(definition.filter_input)]);
      if (filter == by_tensor_.end() || !by_tensor_.contains(data)) continue;  // it stays real
      QAT_RETURN_IF_ERROR(ExpectOneScale(*filter->second));
      if (!MultipliesInDouble(node.type)) continue;
      readers_[filter->first].push_back({ScaleOf(data), ScaleOf(node.output())});
    }
    for (const auto& [filter, readers] : readers_) Match(readers, *by_tensor_.at(filter));
    for (TensorPlan& each : plan_.tensors) {
      if (each.role == PlannedRole::kBias) Follow(each);
    }
    return {};
  }

 private:
  struct Reader {
    float input, output;
  };

  float ScaleOf(int32_t tensor) const { return by_tensor_.at(tensor)->params.at(0).scale; }

  Status ExpectOneScale(const TensorPlan& filter) const {
    const std::string& name = graph_.tensor(filter.tensor).name;
    if (filter.precision.bits != 8)
      return InvalidArgument(StrCat("filter '", name, "' has ", filter.precision.bits,
                                    " bits, expected 8: uint8 has no others"));
    if (filter.params.size() == 1) return {};
    return InvalidArgument(
        StrCat("filter '", name, "' has a scale per channel, expected one per tensor: uint8 has no others"));
  }

  static bool SameMultiplier(const Reader& reader, float scale) {
    const double of_uint8 = double{reader.input * scale} / double{reader.output};
    const double of_int8 = double{reader.input} * double{scale} / double{reader.output};
    return QuantizeMultiplier(of_uint8) == QuantizeMultiplier(of_int8);
  }

  void Match(const std::vector<Reader>& readers, TensorPlan& filter) {
    float& scale = filter.params.at(0).scale;
    const auto serves_all = [&](float candidate) {
      return std::all_of(readers.begin(), readers.end(),
                         [&](const Reader& each) { return SameMultiplier(each, candidate); });
    };
    float candidate = scale;
    for (int i = 0; i < kMostUnits; ++i) {
      if (serves_all(candidate)) {
        scale = candidate;
        return;
      }
      candidate = std::nextafter(candidate, std::numeric_limits<float>::infinity());
    }
    // A product with a power of 2 is exact.
    scale = std::exp2(std::ceil(std::log2(scale)));
    warnings_.push_back(StrCat("filter '", graph_.tensor(filter.tensor).name, "' serves ", readers.size(),
                               " layers, and only a power of 2 as its scale makes them equal for uint8 and "
                               "int8: it has up to half of "
                               "the steps that it could have"));
  }

  /// Half of an int32 was left to the sum; a larger scale only makes a bias smaller.
  void Follow(TensorPlan& bias) const {
    for (const GraphNode& node : graph_.nodes) {
      const int32_t data = node.InputAt(node.definition().data_input);
      if (node.InputAt(node.definition().bias_input) != bias.tensor || !by_tensor_.contains(data)) continue;
      bias.params = {{ScaleOf(data) * ScaleOf(bias.shares), 0}};
    }
  }

  const Graph& graph_;
  QuantizationPlan& plan_;
  std::vector<std::string>& warnings_;
  std::map<int32_t, TensorPlan*> by_tensor_;
  std::map<int32_t, std::vector<Reader>> readers_;  // of each filter
};

}  // namespace

Status ExpectTwins(const Graph& graph) {
  const std::vector<bool> stays_real = StaysReal(graph);
  std::map<std::string, std::vector<std::string>> refused;  // by operator and reason
  size_t count = 0;
  for (const GraphNode& node : graph.nodes) {
    if (!ReadsReals(graph, node) || ComputesReals(node, stays_real)) continue;
    const std::string obstacle = ObstacleOf(graph, node);
    if (obstacle.empty()) continue;
    refused[StrCat(node.definition().name, ": ", obstacle)].push_back(StrCat("'", node.name, "'"));
    ++count;
  }
  if (refused.empty()) return {};
  std::vector<std::string> texts;
  for (const auto& [why, names] : refused) texts.push_back(StrCat(Join(names), " (", why, ")"));
  return Unsupported(StrCat("no uint8 and int8 model are 128 apart in every byte with ", Join(texts),
                            "; let `keep_float` compute ", count == 1 ? "it" : "them", " on real numbers"));
}

Status MatchTwinScales(const Graph& graph, QuantizationPlan& plan, std::vector<std::string>& warnings) {
  return ScaleMatcher(graph, plan, warnings).Run();
}

Graph UInt8TwinOf(const Graph& int8) {
  Graph twin = int8;
  for (GraphTensor& tensor : twin.tensors) {
    if (tensor.type != DType::kInt8 || !tensor.quantization) continue;
    tensor.type = DType::kUInt8;
    for (uint8_t& byte : tensor.data) byte ^= kByteShift;
    for (int64_t& zero_point : tensor.quantization->zero_point) zero_point += kByteShift;
  }
  return twin;
}

}  // namespace qat
