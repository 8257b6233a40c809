#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/strings.h"
#include "passes/passes.h"

namespace qat {
namespace {

class RangeParting {
 public:
  explicit RangeParting(Graph& graph) : graph_(graph) {
    for (const GraphTensor& tensor : graph.tensors) names_.insert(tensor.name);
    for (const int32_t input : graph.inputs) fixed_[input] = input;
  }

  void Run() {
    for (GraphNode& node : std::exchange(graph_.nodes, {})) {
      if (RuleOf(node) == OutputQuantization::kJoinsInputs) Part(node);
      const int32_t origin = OriginOf(node);
      for (const int32_t output : node.outputs) {
        if (origin != kFree) fixed_[output] = origin;
      }
      graph_.nodes.push_back(std::move(node));
    }
  }

 private:
  static constexpr int32_t kFree = -1;

  static OutputQuantization RuleOf(const GraphNode& node) { return DefinitionOf(node.type).output_quantization; }

  int32_t Fixed(int32_t tensor) const {
    const auto found = fixed_.find(tensor);
    return found == fixed_.end() ? kFree : found->second;
  }

  /// What fixes the range of the outputs: an input of the graph, or an operator, as a number below kFree.
  int32_t OriginOf(const GraphNode& node) const {
    const int32_t data = node.inputs[static_cast<size_t>(DefinitionOf(node.type).data_input)];
    switch (RuleOf(node)) {
      case OutputQuantization::kFixed: return kFree - 1 - static_cast<int32_t>(node.type);
      case OutputQuantization::kSameAsInput:
      case OutputQuantization::kJoinsInputs: return Fixed(data);
      default: return kFree;
    }
  }

  bool IsData(int32_t tensor) const { return graph_.tensor(tensor).type == DType::kFloat32; }

  void Part(GraphNode& node) {
    std::set<int32_t> origins;
    for (const int32_t input : node.inputs) {
      if (IsData(input)) origins.insert(Fixed(input));
    }
    if (origins.size() < 2) return;
    std::map<int32_t, int32_t> parted;
    for (int32_t& input : node.inputs) {
      if (!IsData(input) || Fixed(input) == kFree) continue;
      const auto [found, is_new] = parted.emplace(input, kFree);
      if (is_new) found->second = Quantize(input, node.name);
      input = found->second;
    }
  }

  int32_t Quantize(int32_t tensor, const std::string& reader) {
    GraphTensor parted;
    parted.name = FreeName(StrCat(reader, "/from_", graph_.tensor(tensor).name));
    parted.shape = graph_.tensor(tensor).shape;
    GraphNode node;
    node.type = OpType::kQuantize;
    node.name = parted.name;
    node.attributes = DefinitionOf(node.type).default_attributes;
    node.inputs = {tensor};
    const int32_t output = graph_.AddTensor(std::move(parted));
    node.outputs = {output};
    graph_.nodes.push_back(std::move(node));
    return output;
  }

  std::string FreeName(const std::string& wanted) {
    std::string name = wanted;
    for (int i = 1; !names_.insert(name).second; ++i) name = StrCat(wanted, "_", i);
    return name;
  }

  Graph& graph_;
  std::set<std::string> names_;
  std::map<int32_t, int32_t> fixed_;  // by tensor: what fixes its range
};

}  // namespace

void PartFixedRanges(Graph& graph) { RangeParting(graph).Run(); }

}  // namespace qat
