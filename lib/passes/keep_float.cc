#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/strings.h"
#include "ir/free_name.h"
#include "ir/range_groups.h"
#include "ir/real_tensors.h"
#include "ops/integer_kernels.h"
#include "passes/passes.h"

namespace qat {
namespace {

class Parting {
 public:
  Parting(Graph& graph, DType activations, const std::set<std::string>& asked)
      : graph_(graph), activations_(activations), asked_(asked), groups_(FindRangeGroups(graph)) {}

  KeptFloat Run() {
    KeptFloat kept;
    for (GraphNode& node : std::exchange(graph_.nodes, {})) {
      const bool must = TouchesReals(graph_, node) && !RunsOn(node.type, activations_);
      const bool asked = !ChangesForm(node) && asked_.contains(node.name);
      const bool real = must || asked || CastsReal(node);
      if (must && !CastsReal(node))
        kept.must.push_back(StrCat("'", node.name, "' (", DefinitionOf(node.type).name, ")"));
      if (asked) kept.asked.push_back(node.name);
      for (int32_t& input : node.inputs) input = Read(input, real);
      if (real) real_.insert(node.outputs.begin(), node.outputs.end());
      graph_.nodes.push_back(std::move(node));
    }
    for (int32_t& output : graph_.outputs) Quantized(output);
    return kept;
  }

 private:
  static bool ChangesForm(const GraphNode& node) {
    return node.type == OpType::kQuantize || node.type == OpType::kDequantize;
  }

  /// A cast from or to real numbers: it knows no scale.
  bool CastsReal(const GraphNode& node) const {
    return node.type == OpType::kCast && (graph_.tensor(node.outputs[0]).type == DType::kFloat32 ||
                                          graph_.tensor(node.inputs[0]).type == DType::kFloat32);
  }

  /// The tensor that a node reads instead: the same numbers as it needs them, real or integers.
  int32_t Read(int32_t tensor, bool real) {
    if (graph_.tensor(tensor).is_constant() || graph_.tensor(tensor).type != DType::kFloat32) return tensor;
    if ((real_.count(tensor) > 0) == real) return tensor;
    const auto [found, is_new] = other_.emplace(tensor, -1);
    if (is_new)
      found->second =
          Change(tensor, real ? OpType::kDequantize : OpType::kQuantize, real ? "real" : "quantized");
    return found->second;
  }

  /// The output of a node that computes real numbers, as integers under its own name.
  void Quantized(int32_t& output) {
    const int32_t quantized = Read(output, false);
    if (quantized == output) return;
    if (named_.insert(quantized).second) std::swap(graph_.tensor(quantized).name, graph_.tensor(output).name);
    output = quantized;
  }

  int32_t Change(int32_t tensor, OpType type, std::string_view suffix) {
    GraphTensor changed;
    changed.name = FreeName(graph_, StrCat(graph_.tensor(tensor).name, "/", suffix));
    changed.shape = graph_.tensor(tensor).shape;
    if (type == OpType::kQuantize) TakeRange(tensor, changed);
    GraphNode node;
    node.type = type;
    node.name = changed.name;
    node.attributes = DefinitionOf(type).default_attributes;
    node.inputs = {tensor};
    node.outputs = {graph_.AddTensor(std::move(changed))};
    const int32_t output = node.outputs[0];
    graph_.nodes.push_back(std::move(node));
    return output;
  }

  /// What shares its range with others has it from the one that was observed.
  void TakeRange(int32_t from, GraphTensor& to) const {
    if (static_cast<size_t>(from) < groups_.of_tensor.size() &&
        groups_.of_tensor[static_cast<size_t>(from)] >= 0) {
      const RangeGroup& group = groups_.Of(from);
      if (!group.observed.empty()) from = group.observed.front();
    }
    const GraphTensor& source = graph_.tensor(from);
    to.has_range = source.has_range;
    to.range = source.range;
    to.limits = source.limits;
  }

  Graph& graph_;
  const DType activations_;
  const std::set<std::string>& asked_;
  const RangeGroups groups_;
  std::set<int32_t> real_;            // outputs of nodes that compute real numbers
  std::set<int32_t> named_;           // outputs that have the name of what they stand for
  std::map<int32_t, int32_t> other_;  // by tensor: what the other kind of nodes reads
};

}  // namespace

KeptFloat KeepFloat(Graph& graph, DType activations, const std::set<std::string>& names) {
  return Parting(graph, activations, names).Run();
}

}  // namespace qat
