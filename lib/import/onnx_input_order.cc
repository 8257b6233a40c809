#include "import/onnx_input_order.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace qat {
namespace {

constexpr std::array<std::string_view, 15> kOverChannels = {"Conv",
                                                            "ConvTranspose",
                                                            "MaxPool",
                                                            "AveragePool",
                                                            "GlobalAveragePool",
                                                            "GlobalMaxPool",
                                                            "BatchNormalization",
                                                            "InstanceNormalization",
                                                            "Resize",
                                                            "Upsample",
                                                            "DepthToSpace",
                                                            "GroupNormalization",
                                                            "SpaceToDepth",
                                                            "LRN",
                                                            "PRelu"};
constexpr std::array<std::string_view, 11> kOverOthers = {
    "Transpose",        "MatMul",  "Gemm",      "Reshape", "Flatten", "LayerNormalization",
    "RMSNormalization", "Squeeze", "Unsqueeze", "Softmax", "Gather"};

bool Lists(std::span<const std::string_view> list, const std::string& op) {
  return std::find(list.begin(), list.end(), op) != list.end();
}

}  // namespace

AxisOrder InputOrder(const onnx::Graph& graph, const std::string& input, size_t rank) {
  if (rank < 3) return IdentityOrder(rank);
  std::set<std::string> follows = {input};
  bool others = false;
  for (const onnx::Node& node : graph.nodes) {
    const bool reads =
        !node.inputs.empty() && std::any_of(node.inputs.begin(), node.inputs.end(),
                                            [&](const std::string& each) { return follows.count(each) > 0; });
    if (!reads) continue;
    const bool as_data = follows.count(node.inputs[0]) > 0;
    if (as_data && node.domain.empty() && Lists(kOverChannels, node.op)) return ChannelsLast(rank);
    if (Lists(kOverOthers, node.op)) {
      others = true;
      continue;
    }
    follows.insert(node.outputs.begin(), node.outputs.end());
  }
  return others || rank == 3 ? IdentityOrder(rank) : ChannelsLast(rank);
}

}  // namespace qat
