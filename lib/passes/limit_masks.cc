#include <algorithm>
#include <cmath>
#include <optional>

#include "base/strings.h"
#include "ir/constants.h"
#include "ir/free_name.h"
#include "ir/output_source.h"
#include "passes/passes.h"

namespace qat {
namespace {

constexpr float kHides =
    -1000;  // what masks add to scores that a softmax must not see: -1e4, -1e9, the lowest float
constexpr float kMargin = 16;   // e^-16 is 1e-7, and one step of a softmax of 16 bits 3e-5
constexpr float kFarAway = 64;  // of scores whose range is not known: e^-64 is 0 beside scores up to 50 apart

class MaskLimiter {
 public:
  MaskLimiter(Graph& graph, std::optional<float> hidden) : graph_(graph), hidden_(hidden) {}

  std::vector<std::string> Run() {
    std::vector<std::string> limited;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (graph_.nodes[i].type != OpType::kSoftmax) continue;
      const std::string name = Limit(graph_.nodes[i].inputs[0]);
      if (!name.empty()) limited.push_back(name);
    }
    RemoveUnusedTensors(graph_);
    return limited;
  }

 private:
  int64_t Readers(int32_t tensor) const {
    int64_t count = std::count(graph_.outputs.begin(), graph_.outputs.end(), tensor);
    for (const GraphNode& node : graph_.nodes)
      count += std::count(node.inputs.begin(), node.inputs.end(), tensor);
    return count;
  }

  static bool PassesOn(OpType type) {
    return type == OpType::kReshape || type == OpType::kTranspose || type == OpType::kQuantize ||
           type == OpType::kDequantize;
  }

  /// Nothing where it was not observed.
  std::optional<Range> RangeOf(int32_t tensor) {
    while (!graph_.tensor(tensor).has_range) {
      const GraphNode* node = ProducerOf(graph_, tensor);
      if (node == nullptr || !PassesOn(node->type)) return std::nullopt;
      tensor = node->inputs[0];
    }
    return graph_.tensor(tensor).range;
  }

  /// The mask before a softmax of `scores`; its node, or "": there is none.
  std::string Limit(int32_t scores) {
    std::vector<int32_t> path;
    GraphNode* node = nullptr;
    for (int32_t tensor = scores;; tensor = node->inputs[0]) {
      path.push_back(tensor);
      node = ProducerOf(graph_, tensor);
      if (node == nullptr || Readers(tensor) != 1) return "";
      if (!PassesOn(node->type)) break;
    }
    if (node->type != OpType::kAdd || FusedActivation(node->attributes) != Activation::kNone) return "";
    const size_t mask = graph_.tensor(node->inputs[0]).is_constant() ? 0 : 1;
    const GraphTensor constant = graph_.tensor(node->inputs[mask]);
    if (!constant.is_constant() || constant.type != DType::kFloat32) return "";
    const auto ranged = std::find_if(path.begin(), path.end(),
                                     [&](int32_t tensor) { return graph_.tensor(tensor).has_range; });
    if (!hidden_ && ranged == path.end()) return "";
    const std::optional<Range> x = RangeOf(node->inputs[1 - mask]);
    std::vector<float> values = RealValues(constant);
    float least = 0, most = 0;  // of what hides nothing
    bool hides = false;
    for (const float value : values) {
      hides = hides || value <= kHides;
      if (value <= kHides) continue;
      least = std::min(least, value);
      most = std::max(most, value);
    }
    if (!hides) return "";
    const float hidden = hidden_.value_or(least - (x ? x->max - x->min + kMargin : kFarAway));
    Range range;
    if (!hidden_)
      range = {std::min(x ? x->min + least - kMargin : hidden, 0.0f),
               std::max(x ? x->max + most : graph_.tensor(*ranged).range.max, 0.0f)};
    for (float& value : values) value = value <= kHides ? hidden : value;
    const std::string name = node->name;
    const int32_t limited =
        graph_.AddConstant(FreeName(graph_, StrCat(constant.name, "/limited")), constant.shape, values);
    node->inputs[mask] = limited;
    for (const int32_t tensor : path) {
      if (!hidden_ && graph_.tensor(tensor).has_range) graph_.tensor(tensor).range = range;
    }
    return name;
  }

  Graph& graph_;
  const std::optional<float> hidden_;  // nothing: by ranges
};

}  // namespace

std::vector<std::string> LimitMasks(Graph& graph) { return MaskLimiter(graph, std::nullopt).Run(); }
std::vector<std::string> LimitMasks(Graph& graph, float hidden) { return MaskLimiter(graph, hidden).Run(); }

}  // namespace qat
