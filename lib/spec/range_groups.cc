#include "spec/range_groups.h"

#include <numeric>

namespace qat {
namespace {

// Sets of outputs; index 0 is the input, i + 1 is layer i.
class Union {
 public:
  explicit Union(size_t count) : parent_(count) { std::iota(parent_.begin(), parent_.end(), size_t{0}); }
  size_t Find(size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  // The earlier one stays: groups come out in the order of their first output.
  void Join(size_t a, size_t b) {
    a = Find(a);
    b = Find(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<size_t> parent_;
};

size_t IndexOf(int32_t layer) { return static_cast<size_t>(layer + 1); }

}  // namespace

RangeGroups FindRangeGroups(const NetworkSpec& spec) {
  Union sets(spec.layers.size() + 1);
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const LayerSpec& layer = spec.layers[i];
    const OutputQuantization rule = layer.definition().output_quantization;
    if (rule == OutputQuantization::kSameAsInput) sets.Join(i + 1, IndexOf(layer.inputs[0]));
    if (rule != OutputQuantization::kJoinsInputs) continue;
    for (const int32_t input : layer.inputs) sets.Join(i + 1, IndexOf(input));
  }
  RangeGroups result;
  std::vector<int32_t> group_of_root(spec.layers.size() + 1, -1);
  const auto group_of = [&](size_t index) {
    int32_t& group = group_of_root[sets.Find(index)];
    if (group < 0) {
      group = static_cast<int32_t>(result.groups.size());
      result.groups.emplace_back();
    }
    return group;
  };
  result.of_input = group_of(0);
  result.groups[0].holds_input = true;
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const OpDefinition& op = spec.layers[i].definition();
    const bool none = op.output_quantization == OutputQuantization::kNone;
    result.of_layer.push_back(none ? -1 : group_of(i + 1));
    if (none) continue;
    RangeGroup& group = result.groups[static_cast<size_t>(result.of_layer.back())];
    if (op.output_quantization == OutputQuantization::kOwnRange)
      group.observed.push_back(static_cast<int32_t>(i));
    if (op.output_quantization == OutputQuantization::kFixed) group.fixed_uint8 = op.fixed_uint8;
  }
  return result;
}

}  // namespace qat
