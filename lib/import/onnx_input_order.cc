#include "import/onnx_input_order.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace qat {
namespace {

constexpr std::array<std::string_view, 13> kOverChannels = {"Conv",
                                                            "ConvTranspose",
                                                            "MaxPool",
                                                            "AveragePool",
                                                            "BatchNormalization",
                                                            "InstanceNormalization",
                                                            "Resize",
                                                            "Upsample",
                                                            "DepthToSpace",
                                                            "GroupNormalization",
                                                            "SpaceToDepth",
                                                            "LRN",
                                                            "PRelu"};
// Of series these may be the mean or the maximum over the last axis, whatever it is: tf2onnx writes those of
// a layer normalization so.
constexpr std::array<std::string_view, 2> kGlobalPools = {"GlobalAveragePool", "GlobalMaxPool"};
constexpr std::array<std::string_view, 11> kOverOthers = {
    "Transpose",        "MatMul",  "Gemm",      "Reshape", "Flatten", "LayerNormalization",
    "RMSNormalization", "Squeeze", "Unsqueeze", "Softmax", "Gather"};

constexpr std::array<std::string_view, 6> kMoveAxes = {"Transpose", "Reshape",   "Flatten",
                                                       "Squeeze",   "Unsqueeze", "Gather"};

bool Lists(std::span<const std::string_view> list, const std::string& op) {
  return std::find(list.begin(), list.end(), op) != list.end();
}

/// Whether a recurrent layer takes one of `follows`, or what keeps its axes, as its steps or its states, with
/// the batch as second axis.
bool IsTakenStepsFirst(const onnx::Graph& graph, std::set<std::string> follows) {
  for (const onnx::Node& node : graph.nodes) {
    const auto reads = [&](size_t input) {
      return input < node.inputs.size() && follows.count(node.inputs[input]) > 0;
    };
    if (node.op == "RNN" || node.op == "GRU" || node.op == "LSTM") {
      const onnx::Attribute* layout = node.Find("layout");
      if ((reads(0) || reads(5) || reads(6)) && (layout == nullptr || layout->integer == 0)) return true;
      continue;
    }
    bool any = false;
    for (size_t i = 0; i < node.inputs.size(); ++i) any = any || reads(i);
    if (any && !Lists(kMoveAxes, node.op) && !Lists(kOverChannels, node.op) && !Lists(kGlobalPools, node.op))
      follows.insert(node.outputs.begin(), node.outputs.end());
  }
  return false;
}

/// The axes of an Unsqueeze; empty: not known.
std::vector<int64_t> UnsqueezedAxes(const onnx::Graph& graph,
                                    const std::map<std::string, OnnxValue>& constants,
                                    const onnx::Node& node) {
  if (const onnx::Attribute* axes = node.Find("axes")) return axes->integers;
  if (node.inputs.size() < 2) return {};
  const auto found = constants.find(node.inputs[1]);
  if (found != constants.end() && found->second.is_constant()) return found->second.constant->integers;
  for (const onnx::Node& each : graph.nodes) {
    if (each.op != "Constant" || each.outputs.empty() || each.outputs[0] != node.inputs[1]) continue;
    const onnx::Attribute* value = each.Find("value");
    if (value != nullptr && value->tensor) return value->tensor->integers;
    value = each.Find("value_ints");
    if (value != nullptr) return value->integers;
  }
  return {};
}

}  // namespace

bool IsOneExample(const onnx::Graph& graph, const std::map<std::string, OnnxValue>& constants,
                  const std::string& input, size_t rank) {
  if (rank != 2) return false;
  for (const onnx::Node& node : graph.nodes) {
    if (node.op != "Unsqueeze" || node.inputs.empty() || node.inputs[0] != input || node.outputs.empty())
      continue;
    const std::vector<int64_t> axes = UnsqueezedAxes(graph, constants, node);
    if (axes.size() == 1 && (axes[0] == 1 || axes[0] == -2) && IsTakenStepsFirst(graph, {node.outputs[0]}))
      return true;
  }
  return false;
}

namespace {

using Constants = std::map<std::string, OnnxValue>;

bool IsOneNumber(const Constants& constants, const std::string& name) {
  const auto found = constants.find(name);
  return found != constants.end() && found->second.is_constant() && FlatSize(found->second.shape) == 1;
}

/// Whether it takes axis 1 for channels; a PRelu with one slope for all does not.
bool KnowsChannels(const Constants& constants, const onnx::Node& node) {
  if (!node.domain.empty() || !Lists(kOverChannels, node.op)) return false;
  return node.op != "PRelu" || node.inputs.size() < 2 || !IsOneNumber(constants, node.inputs[1]);
}

}  // namespace

AxisOrder InputOrder(const onnx::Graph& graph, const std::map<std::string, OnnxValue>& constants,
                     const std::string& input, size_t rank) {
  if (rank < 3) return IdentityOrder(rank);
  if (rank == 3 && IsTakenStepsFirst(graph, {input})) return {1, 0, 2};
  std::set<std::string> follows = {input};
  bool others = false, pooled = false;
  for (const onnx::Node& node : graph.nodes) {
    const bool reads =
        !node.inputs.empty() && std::any_of(node.inputs.begin(), node.inputs.end(),
                                            [&](const std::string& each) { return follows.count(each) > 0; });
    if (!reads) continue;
    const bool as_data = follows.count(node.inputs[0]) > 0;
    if (as_data && KnowsChannels(constants, node)) return ChannelsLast(rank);
    if (Lists(kOverOthers, node.op)) {
      others = true;
      continue;
    }
    if (node.domain.empty() && Lists(kGlobalPools, node.op)) {
      pooled = true;
      continue;
    }
    follows.insert(node.outputs.begin(), node.outputs.end());
  }
  if (pooled && (rank > 3 || !others)) return ChannelsLast(rank);
  return others || rank == 3 ? IdentityOrder(rank) : ChannelsLast(rank);
}

}  // namespace qat
