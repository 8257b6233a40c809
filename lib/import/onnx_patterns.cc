#include "import/onnx_patterns.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace qat {
namespace {

/// Constants of one value, and which node computes a tensor.
class PatternFinder {
 public:
  explicit PatternFinder(onnx::Graph& graph) : graph_(graph) {
    for (const onnx::Tensor& tensor : graph.initializers) TakeConstant(tensor.name, tensor);
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      const onnx::Node& node = graph.nodes[i];
      for (const std::string& output : node.outputs) source_[output] = i;
      const onnx::Attribute* value = node.op == "Constant" ? node.Find("value") : nullptr;
      if (value != nullptr && value->tensor && !node.outputs.empty())
        TakeConstant(node.outputs[0], *value->tensor);
    }
  }

  void JoinGelus() {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const onnx::Node& node = graph_.nodes[i];
      if (node.op != "Mul" || node.outputs.size() != 1 || node.inputs.size() != 2) continue;
      if (const auto x = GeluOf(node)) Replace(graph_.nodes[i], "Gelu", *x);
    }
  }

  void JoinSigmoids() {
    for (onnx::Node& node : graph_.nodes) {
      if (!node.domain.empty() || node.outputs.size() != 1) continue;
      std::string sum;  // 1 + exp(-x)
      if (node.op == "Reciprocal" && node.inputs.size() == 1)
        sum = node.inputs[0];
      else if (node.op == "Div" && node.inputs.size() == 2 && IsConstant(node.inputs[0], 1))
        sum = node.inputs[1];
      else
        continue;
      const auto power = Beside(sum, "Add", 1);
      const onnx::Node* exp = power ? Source(*power, "Exp") : nullptr;
      if (exp == nullptr || exp->inputs.size() != 1) continue;
      const onnx::Node* negative = Source(exp->inputs[0], "Neg");
      if (negative != nullptr && negative->inputs.size() == 1)
        Replace(node, "Sigmoid", std::string(negative->inputs[0]));
      else if (const auto x = Beside(exp->inputs[0], "Mul", -1))
        Replace(node, "Sigmoid", *x);
    }
  }

 private:
  static void Replace(onnx::Node& node, std::string op, std::string input) {
    onnx::Node joined;
    joined.name = node.name;
    joined.op = std::move(op);
    joined.inputs = {std::move(input)};
    joined.outputs = node.outputs;
    node = std::move(joined);
  }

  void TakeConstant(const std::string& name, const onnx::Tensor& tensor) {
    if (tensor.reals.size() == 1) constants_[name] = tensor.reals[0];
  }

  bool IsConstant(const std::string& name, float value) const {
    const auto found = constants_.find(name);
    return found != constants_.end() && std::abs(found->second - value) < 1e-4f;
  }

  const onnx::Node* Source(const std::string& name, std::string_view op) const {
    const auto found = source_.find(name);
    if (found == source_.end()) return nullptr;
    const onnx::Node& node = graph_.nodes[found->second];
    return node.op == op && node.domain.empty() ? &node : nullptr;
  }

  /// The operand of a node of two beside a constant of `value`.
  std::optional<std::string> Beside(const std::string& name, std::string_view op, float value) const {
    const onnx::Node* node = Source(name, op);
    if (node == nullptr || node->inputs.size() != 2) return {};
    if (IsConstant(node->inputs[1], value)) return node->inputs[0];
    if (op != "Div" && IsConstant(node->inputs[0], value)) return node->inputs[1];
    return {};
  }

  /// x of 1 + erf(x / sqrt(2)).
  std::optional<std::string> InsideErf(const std::string& name) const {
    const auto erf = Beside(name, "Add", 1);
    if (!erf) return {};
    const onnx::Node* node = Source(*erf, "Erf");
    if (node == nullptr || node->inputs.size() != 1) return {};
    if (const auto x = Beside(node->inputs[0], "Div", std::sqrt(2.0f))) return x;
    return Beside(node->inputs[0], "Mul", std::sqrt(0.5f));
  }

  std::optional<std::string> GeluOf(const onnx::Node& product) const {
    for (const auto& [p, q] :
         {std::pair(product.inputs[0], product.inputs[1]), std::pair(product.inputs[1], product.inputs[0])}) {
      // (0.5 * x) * (1 + erf)
      if (const auto x = InsideErf(q); x && Beside(p, "Mul", 0.5f) == x) return x;
      // x * (0.5 * (1 + erf))
      if (const auto erf = Beside(q, "Mul", 0.5f); erf && InsideErf(*erf) == p) return p;
      // 0.5 * (x * (1 + erf))
      const onnx::Node* inner = IsConstant(p, 0.5f) ? Source(q, "Mul") : nullptr;
      if (inner == nullptr || inner->inputs.size() != 2) continue;
      if (InsideErf(inner->inputs[1]) == inner->inputs[0]) return inner->inputs[0];
      if (InsideErf(inner->inputs[0]) == inner->inputs[1]) return inner->inputs[1];
    }
    return {};
  }

  onnx::Graph& graph_;
  std::map<std::string, size_t> source_;
  std::map<std::string, float> constants_;
};

}  // namespace

namespace {

void AddReads(const onnx::Node& node, std::set<std::string>& read) {
  read.insert(node.inputs.begin(), node.inputs.end());
  for (const onnx::Attribute& attribute : node.attributes) {
    if (!attribute.graph) continue;
    for (const onnx::Node& inner : attribute.graph->nodes) AddReads(inner, read);
    for (const onnx::ValueInfo& output : attribute.graph->outputs) read.insert(output.name);
  }
}

}  // namespace

void JoinGelus(onnx::Graph& graph) { PatternFinder(graph).JoinGelus(); }

void JoinSigmoids(onnx::Graph& graph) { PatternFinder(graph).JoinSigmoids(); }

void DropUnread(onnx::Graph& graph) {
  std::set<std::string> read;
  for (const onnx::ValueInfo& output : graph.outputs) read.insert(output.name);
  std::vector<onnx::Node> kept;
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    onnx::Node& node = graph.nodes[i];
    if (std::none_of(node.outputs.begin(), node.outputs.end(),
                     [&](const std::string& output) { return read.count(output) > 0; }))
      continue;
    AddReads(node, read);
    kept.push_back(std::move(node));
  }
  std::reverse(kept.begin(), kept.end());
  graph.nodes = std::move(kept);
}

}  // namespace qat
