#include "ir/range_groups.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "base/strings.h"
#include "ir/free_name.h"
#include "quant/few_steps.h"

namespace qat {
namespace {

// Sets of tensors.
class Union {
 public:
  explicit Union(size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), size_t{0}); }
  size_t Find(int32_t tensor) {
    auto i = static_cast<size_t>(tensor);
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void Join(int32_t a, int32_t b) { parent_[Find(a)] = Find(b); }

 private:
  std::vector<size_t> parent_;
};

bool IsReal(const GraphTensor& tensor) {
  return tensor.type == DType::kFloat32 || tensor.quantization.has_value();
}

/// Positions of inputs that are real data: conditions and indices have no range.
std::vector<size_t> RealInputs(const Graph& graph, const GraphNode& node) {
  std::vector<size_t> positions = DataInputs(graph, node);
  std::erase_if(positions, [&](size_t position) { return !IsReal(graph.tensor(node.inputs[position])); });
  return positions;
}

int32_t DataInput(const GraphNode& node) {
  return node.inputs[static_cast<size_t>(node.definition().data_input)];
}

// Joins what each node ties.
Union TiesOf(const Graph& graph) {
  Union sets(graph.tensors.size());
  for (const GraphNode& node : graph.nodes) {
    const OutputQuantization rule = node.definition().output_quantization;
    for (const int32_t output : node.outputs) {
      if (rule == OutputQuantization::kSameAsInput) sets.Join(output, DataInput(node));
      if (rule != OutputQuantization::kJoinsInputs) continue;
      for (const size_t position : RealInputs(graph, node)) sets.Join(output, node.inputs[position]);
    }
  }
  return sets;
}

/// What fixes the range of a tensor. Empty: training or calibration finds it.
struct FixedRange {
  int32_t input = -1;          // by the contract of this input of the graph
  QuantizationParams uint8{};  // else by TFLite's specification
  bool operator==(const FixedRange&) const = default;
};

class Separator {
 public:
  explicit Separator(Graph& graph) : graph_(graph) {
    for (const int32_t input : graph.inputs) fixed_[input] = FixedRange{.input = input};
  }

  void Run() {
    for (GraphNode& node : std::exchange(graph_.nodes, {})) {
      if (node.definition().output_quantization == OutputQuantization::kJoinsInputs) Separate(node);
      if (const auto range = RangeOf(node)) {
        for (const int32_t output : node.outputs) fixed_[output] = *range;
      }
      graph_.nodes.push_back(std::move(node));
    }
  }

 private:
  std::optional<FixedRange> FixedAt(int32_t tensor) const {
    const auto found = fixed_.find(tensor);
    return found == fixed_.end() ? std::nullopt : std::optional(found->second);
  }

  std::optional<FixedRange> RangeOf(const GraphNode& node) const {
    switch (node.definition().output_quantization) {
      case OutputQuantization::kSameAsInput:
      case OutputQuantization::kJoinsInputs:  // all inputs are alike by now
        return FixedAt(DataInput(node));
      case OutputQuantization::kFixed:
        return FixedRange{.uint8 = node.definition().fixed_uint8};
      case OutputQuantization::kOwnRange:
      case OutputQuantization::kNone:
        break;
    }
    return std::nullopt;
  }

  /// What every channel has; nothing of real numbers, whose range the data say.
  Range HeldBy(const FixedRange& fixed) const {
    if (fixed.input < 0) return RepresentableRange(fixed.uint8, kUInt8Limits);
    const auto place =
        std::find(graph_.inputs.begin(), graph_.inputs.end(), fixed.input) - graph_.inputs.begin();
    const InputContract& input = graph_.contract.inputs[static_cast<size_t>(place)];
    if (input.values != ValueType::kByte) return {};
    Range held = {-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()};
    for (size_t c = 0; c < input.mean.size(); ++c) {
      held = {std::max(held.min, -input.mean[c] / input.std[c]),
              std::min(held.max, (255 - input.mean[c]) / input.std[c])};
    }
    return held;
  }

  // A constant needs no range of its own where the fixed one holds it.
  bool HoldsConstant(const std::optional<FixedRange>& fixed, int32_t input) const {
    const GraphTensor& tensor = graph_.tensor(input);
    if (!fixed || !tensor.is_constant() || tensor.type != DType::kFloat32) return false;
    const Range range = ConstantRange(tensor), held = HeldBy(*fixed);
    return range.min >= held.min && range.max <= held.max;
  }

  void Separate(GraphNode& node) {
    const std::vector<size_t> positions = RealInputs(graph_, node);
    if (positions.empty()) return;
    const auto first = FixedAt(node.inputs[positions.front()]);
    if (std::all_of(positions.begin(), positions.end(), [&](size_t p) {
          return FixedAt(node.inputs[p]) == first || HoldsConstant(first, node.inputs[p]);
        }))
      return;
    std::map<int32_t, int32_t> quantized;  // one for each producer, even where the node reads it twice
    for (const size_t position : positions) {
      int32_t& input = node.inputs[position];
      if (!FixedAt(input)) continue;
      const auto [found, is_new] = quantized.emplace(input, -1);
      if (is_new) found->second = Quantize(input, node.name);
      input = found->second;
    }
  }

  int32_t Quantize(int32_t source, const std::string& reader) {
    GraphTensor tensor;
    tensor.name = FreeName(graph_, StrCat(reader, "/from_", graph_.tensor(source).name));
    tensor.shape = graph_.tensor(source).shape;
    tensor.type = graph_.tensor(source).type;
    GraphNode node;
    node.type = OpType::kQuantize;
    node.name = tensor.name;
    node.attributes = DefinitionOf(node.type).default_attributes;
    node.inputs = {source};
    node.outputs = {graph_.AddTensor(std::move(tensor))};
    graph_.nodes.push_back(std::move(node));
    return graph_.nodes.back().outputs[0];
  }

  Graph& graph_;
  std::map<int32_t, FixedRange> fixed_;
};

bool Fills(OpType type) {
  return type == OpType::kSelect || type == OpType::kSelectV2 || type == OpType::kPadV2;
}

/// Whether a range of integers of 8 bits still tells values of `observed` apart with `fill` in it.
bool LeavesSteps(Range observed, float fill) {
  constexpr float kSteps = 255;
  const Range with = UnionOf(observed, {fill, fill});
  const bool any = observed.min < observed.max;
  return !any || (observed.max - observed.min) * kSteps >= (with.max - with.min) * kFewSteps;
}

/// What a constant adds to the range that a node ties it to. Values of a maximum that lie below everything it
/// computes never come out (masks of -1e9), so they may saturate.
Range TiedRange(const GraphNode& node, const GraphTensor& constant) {
  const Range all = ConstantRange(constant);
  if (node.type == OpType::kMaximum) return {0, all.max};
  if (node.type == OpType::kMinimum) return {all.min, 0};
  return Fills(node.type) ? Range() : all;
}

}  // namespace

Range RangeGroup::With(Range seen) const {
  const Range known = UnionOf(UnionOf(seen, constants), {0, 0});
  Range all = known;
  for (const float fill : fills) {
    if (LeavesSteps(known, fill)) all = UnionOf(all, {fill, fill});
  }
  return all;
}

std::vector<float> RangeGroup::Saturating(Range seen) const {
  const Range all = With(seen);
  std::vector<float> beyond;
  for (const float fill : fills) {
    if (fill < all.min || fill > all.max) beyond.push_back(fill);
  }
  return beyond;
}

RangeGroups FindRangeGroups(const Graph& graph) {
  Union sets = TiesOf(graph);
  RangeGroups result;
  result.of_tensor.assign(graph.tensors.size(), -1);
  std::map<size_t, int32_t> group_of_root;
  const auto group_of = [&](int32_t tensor) -> RangeGroup& {
    const auto [found, added] = group_of_root.emplace(sets.Find(tensor), std::ssize(result.groups));
    if (added) result.groups.emplace_back();
    result.of_tensor[static_cast<size_t>(tensor)] = found->second;
    return result.groups[static_cast<size_t>(found->second)];
  };
  for (const int32_t input : graph.inputs) group_of(input).holds_input = true;
  for (const GraphNode& node : graph.nodes) {
    const OpDefinition& op = node.definition();
    if (op.output_quantization == OutputQuantization::kNone) continue;
    for (const int32_t output : node.outputs) {
      if (!IsReal(graph.tensor(output))) continue;
      RangeGroup& group = group_of(output);
      if (OwnsRange(op)) group.observed.push_back(output);
      if (op.output_quantization == OutputQuantization::kFixed) group.fixed_uint8 = op.fixed_uint8;
    }
    if (op.output_quantization != OutputQuantization::kJoinsInputs) continue;
    for (const size_t position : RealInputs(graph, node)) {
      const int32_t input = node.inputs[position];
      if (!graph.tensor(input).is_constant()) continue;
      RangeGroup& group = group_of(input);
      const Range range = TiedRange(node, graph.tensor(input));
      group.constants = UnionOf(group.constants, range);
      if (!Fills(node.type)) continue;
      const Range ends = ConstantRange(graph.tensor(input));
      group.fills.insert(group.fills.end(), {ends.min, ends.max});
    }
  }
  return result;
}

Range ConstantRange(const GraphTensor& tensor) {
  QAT_CHECK(tensor.type == DType::kFloat32 && tensor.is_constant());
  Range range;
  for (size_t at = 0; at < tensor.data.size(); at += sizeof(float)) {
    float value;
    std::memcpy(&value, &tensor.data[at], sizeof(value));
    range = {std::min(range.min, value), std::max(range.max, value)};
  }
  return range;
}

void SeparateFixedRanges(Graph& graph) { Separator(graph).Run(); }

}  // namespace qat
