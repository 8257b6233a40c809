// Vectors divided by their own length, as exporters take torch.nn.functional.normalize apart.
#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "import/onnx_patterns.h"

namespace qat {
namespace {

constexpr float kLeast = 1e-6f;  // TFLite's L2_NORMALIZATION divides by no less

class NormFinder {
 public:
  explicit NormFinder(onnx::Graph& graph) : graph_(graph) {
    for (const onnx::Tensor& tensor : graph.initializers) constants_[tensor.name] = &tensor;
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      const onnx::Node& node = graph.nodes[i];
      for (const std::string& output : node.outputs) source_[output] = i;
      const onnx::Attribute* value = node.op == "Constant" ? node.Find("value") : nullptr;
      if (value != nullptr && value->tensor && !node.outputs.empty())
        constants_[node.outputs[0]] = value->tensor.get();
    }
  }

  void Run() {
    for (onnx::Node& node : graph_.nodes) {
      if (node.op != "Div" || !node.domain.empty() || node.inputs.size() != 2 || node.outputs.size() != 1)
        continue;
      const std::optional<int64_t> axis = AxisOfLength(node.inputs[1], node.inputs[0]);
      if (!axis) continue;
      onnx::Attribute along;
      along.name = "axis";
      along.kind = onnx::Attribute::Kind::kInt;
      along.integer = *axis;
      node.op = "LpNormalization";
      node.inputs.resize(1);
      node.attributes = {along};
    }
  }

 private:
  const onnx::Node* Source(const std::string& name, std::string_view op) const {
    const auto found = source_.find(name);
    if (found == source_.end()) return nullptr;
    const onnx::Node& node = graph_.nodes[found->second];
    return node.op == op && node.domain.empty() && !node.inputs.empty() ? &node : nullptr;
  }

  /// A limit that keeps a division from that by 0, and no other.
  bool IsTiny(const std::string& name) const {
    const auto found = constants_.find(name);
    return found != constants_.end() && found->second->reals.size() == 1 && found->second->reals[0] > 0 &&
           found->second->reals[0] <= kLeast;
  }

  /// [Expand] <- [Clip, Max] <- ReduceL2 of `x` along one axis, which is kept.
  std::optional<int64_t> AxisOfLength(std::string name, const std::string& x) const {
    if (const onnx::Node* expand = Source(name, "Expand")) name = expand->inputs[0];
    if (const onnx::Node* clip = Source(name, "Clip")) {
      const bool only_low = clip->inputs.size() == 2 || (clip->inputs.size() == 3 && clip->inputs[2].empty());
      if (!only_low || !IsTiny(clip->inputs[1])) return {};
      name = clip->inputs[0];
    } else if (const onnx::Node* most = Source(name, "Max")) {
      if (most->inputs.size() != 2 || !IsTiny(most->inputs[1])) return {};
      name = most->inputs[0];
    }
    const onnx::Node* length = Source(name, "ReduceL2");
    if (length == nullptr || length->inputs[0] != x) return {};
    if (const onnx::Attribute* keeps = length->Find("keepdims"); keeps != nullptr && keeps->integer == 0)
      return {};
    std::vector<int64_t> axes;
    if (const onnx::Attribute* given = length->Find("axes")) axes = given->integers;
    if (length->inputs.size() > 1) {
      const auto found = constants_.find(length->inputs[1]);
      if (found == constants_.end()) return {};
      axes = found->second->integers;
    }
    return axes.size() == 1 ? std::optional(axes[0]) : std::nullopt;
  }

  onnx::Graph& graph_;
  std::map<std::string, size_t> source_;
  std::map<std::string, const onnx::Tensor*> constants_;
};

}  // namespace

void JoinNorms(onnx::Graph& graph) { NormFinder(graph).Run(); }

}  // namespace qat
