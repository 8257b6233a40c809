#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/strings.h"
#include "contract/input_params.h"
#include "ir/free_name.h"
#include "ir/range_groups.h"
#include "passes/passes.h"

namespace qat {
namespace {

const Precision kNarrow = ActivationsOf(DType::kInt8);

/// Before: a -> named -> b. After: a -> quantize (int16) -> named -> quantize (int8) -> b; neighbours that
/// are both named keep int16 between them, and what becomes real reads int16 as it is.
class Widening {
 public:
  Widening(Graph& graph, const std::set<std::string>& asked)
      : graph_(graph), asked_(asked), groups_(FindRangeGroups(graph)) {}

  std::set<std::string> Run() {
    for (GraphNode& node : std::exchange(graph_.nodes, {})) {
      const bool changes_form = node.type == OpType::kQuantize || node.type == OpType::kDequantize;
      const bool wide = asked_.contains(node.name) && !changes_form;
      for (int32_t& input : node.inputs) {
        if (!changes_form) input = Read(input, wide);
      }
      if (wide) {
        wide_.insert(node.outputs.begin(), node.outputs.end());
        nodes_.insert(node.name);
      }
      graph_.nodes.push_back(std::move(node));
    }
    for (int32_t& output : graph_.outputs) Narrow(output);
    return std::move(nodes_);
  }

 private:
  /// The tensor that a node reads instead: the same numbers, in as many bits as it has.
  int32_t Read(int32_t tensor, bool wide) {
    if (graph_.tensor(tensor).is_constant() || graph_.tensor(tensor).type != DType::kFloat32) return tensor;
    if (wide_.contains(tensor) == wide) return tensor;
    const auto [found, is_new] = other_.emplace(tensor, -1);
    if (is_new) found->second = Change(tensor, wide);
    return found->second;
  }

  /// An output of the network, as int8 under its own name.
  void Narrow(int32_t& output) {
    const int32_t narrow = Read(output, false);
    if (narrow == output) return;
    if (named_.insert(narrow).second) std::swap(graph_.tensor(narrow).name, graph_.tensor(output).name);
    output = narrow;
  }

  int32_t Change(int32_t tensor, bool wide) {
    GraphTensor changed;
    changed.name = FreeName(graph_, StrCat(graph_.tensor(tensor).name, wide ? "/int16" : "/int8"));
    changed.shape = graph_.tensor(tensor).shape;
    TakeRange(tensor, changed);
    GraphNode node;
    node.type = OpType::kQuantize;
    node.name = changed.name;
    node.attributes = DefinitionOf(node.type).default_attributes;
    node.inputs = {tensor};
    if (wide) nodes_.insert(node.name);
    const int32_t output = graph_.AddTensor(std::move(changed));
    node.outputs = {output};
    graph_.nodes.push_back(std::move(node));
    return output;
  }

  /// Of the one that was observed for all that share it, or what its fixed integers stand for; else none.
  void TakeRange(int32_t from, GraphTensor& to) const {
    const auto input = std::find(graph_.inputs.begin(), graph_.inputs.end(), from);
    const bool known = static_cast<size_t>(from) < groups_.of_tensor.size() &&
                       groups_.of_tensor[static_cast<size_t>(from)] >= 0;
    const RangeGroup* const group = known ? &groups_.Of(from) : nullptr;
    if (group != nullptr && !group->observed.empty()) {
      const GraphTensor& source = graph_.tensor(group->observed.front());
      to.has_range = source.has_range;
      to.range = source.range;
      to.limits = source.limits;
      return;
    }
    std::optional<QuantizationParams> fixed;
    if (input != graph_.inputs.end())
      fixed =
          InputParams(graph_.contract.inputs.at(static_cast<size_t>(input - graph_.inputs.begin())), kNarrow);
    if (group != nullptr && group->fixed_uint8) fixed = FixedParamsOf(*group->fixed_uint8, kNarrow.type);
    if (!fixed) return;
    to.has_range = true;
    to.limits = LimitsOf(kNarrow);
    to.range = RepresentableRange(*fixed, to.limits);
  }

  Graph& graph_;
  const std::set<std::string>& asked_;
  const RangeGroups groups_;
  std::set<int32_t> wide_, named_;
  std::set<std::string> nodes_;
  std::map<int32_t, int32_t> other_;  // by tensor: the same in the other number of bits
};

}  // namespace

std::set<std::string> KeepInt16(Graph& graph, const std::set<std::string>& names) {
  return names.empty() ? std::set<std::string>() : Widening(graph, names).Run();
}

}  // namespace qat
