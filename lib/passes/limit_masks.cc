#include <algorithm>
#include <cmath>
#include <optional>

#include "base/strings.h"
#include "ir/constants.h"
#include "ir/free_name.h"
#include "passes/passes.h"

namespace qat {
namespace {

constexpr float kHides =
    -1000;  // what masks add to scores that a softmax must not see: -1e4, -1e9, the lowest float
constexpr float kMargin = 16;  // e^-16 is 1e-7, and one step of a softmax of 16 bits 3e-5

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

  GraphNode* ProducerOf(int32_t tensor) {
    for (GraphNode& node : graph_.nodes) {
      if (std::find(node.outputs.begin(), node.outputs.end(), tensor) != node.outputs.end()) return &node;
    }
    return nullptr;
  }

  /// The mask before a softmax of `scores`; its node, or "": there is none.
  std::string Limit(int32_t scores) {
    std::vector<int32_t> path;
    GraphNode* node = nullptr;
    for (int32_t tensor = scores;; tensor = node->inputs[0]) {
      path.push_back(tensor);
      node = ProducerOf(tensor);
      if (node == nullptr || Readers(tensor) != 1) return "";
      if (node->type != OpType::kReshape && node->type != OpType::kTranspose) break;
    }
    if (node->type != OpType::kAdd || FusedActivation(node->attributes) != Activation::kNone) return "";
    const size_t mask = graph_.tensor(node->inputs[0]).is_constant() ? 0 : 1;
    const GraphTensor constant = graph_.tensor(node->inputs[mask]);
    const GraphTensor& x = graph_.tensor(node->inputs[1 - mask]);
    if (!constant.is_constant() || constant.type != DType::kFloat32) return "";
    if (!hidden_ && (!x.has_range || !graph_.tensor(scores).has_range)) return "";
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
    const Range range = {std::min(x.range.min + least - kMargin, 0.0f), std::max(x.range.max + most, 0.0f)};
    const float hidden = hidden_.value_or(least - (x.range.max - x.range.min) - kMargin);
    for (float& value : values) value = value <= kHides ? hidden : value;
    const std::string name = node->name;
    const int32_t limited =
        graph_.AddConstant(FreeName(graph_, StrCat(constant.name, "/limited")), constant.shape, values);
    node->inputs[mask] = limited;
    for (const int32_t tensor : path) {
      if (!hidden_) graph_.tensor(tensor).range = range;
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
