// range_groups.h: which tensors of a graph share one scale and zero point. Pools and reshapes pass on what
// they read; concatenation, maximum, minimum, select and pad_v2 tie all that they read to what they write;
// the input, softmax, logistic and tanh are fixed. Training, freezing, calibration, quantization and printing
// read it here, so nothing changes at conversion.
#ifndef QAT_IR_RANGE_GROUPS_H_
#define QAT_IR_RANGE_GROUPS_H_

#include <optional>
#include <vector>

#include "ir/graph.h"

namespace qat {

/// An observer of its own sees what such an operator computes.
inline bool OwnsRange(const OpDefinition& definition) {
  return definition.output_quantization == OutputQuantization::kOwnRange;
}
inline bool OwnsRange(const GraphNode& node) { return OwnsRange(node.definition()); }

struct RangeGroup {
  /// Tensors whose observed ranges make the group's: it is the union of theirs. Empty where it is fixed.
  std::vector<int32_t> observed;
  /// What real constants that a node ties to what it computes (a concatenation's, a maximum's) add to the
  /// union; 0 where there are none. Values that can never come out are no part of it.
  Range constants;
  /// Ends of constants that stand beside what is computed, where a condition says so or as a border. They are
  /// values like others, unless they are so far out that they can only be masks (-1e9 beside scores): those
  /// saturate.
  std::vector<float> fills;
  bool holds_input = false;                       ///< fixed by the input contract
  std::optional<QuantizationParams> fixed_uint8;  ///< fixed by TFLite's specification

  /// The range of the group where `seen` is the union of what was observed: with the constants, and with
  /// the fills that leave it at least 8 of 255 steps.
  Range With(Range seen) const;
  /// Fills that saturate then.
  std::vector<float> Saturating(Range seen) const;
};

struct RangeGroups {
  std::vector<RangeGroup> groups;  ///< in the order of their first tensor: inputs, then outputs of nodes
  /// group of each tensor; -1 for parameters, indices and constants that nothing ties
  std::vector<int32_t> of_tensor;

  const RangeGroup& Of(int32_t tensor) const {
    return groups[static_cast<size_t>(of_tensor[static_cast<size_t>(tensor)])];
  }
};

/// Either form of a graph. Whatever would tie a fixed range to another one must have been separated (below);
/// where it was not, the group is both, and `fixed_uint8` is one of them.
RangeGroups FindRangeGroups(const Graph& graph);

/// From the smallest to the largest value, and 0. Requires  a constant of float32.
Range ConstantRange(const GraphTensor& tensor);

/// Gives concatenation, maximum, minimum, select and pad_v2 (whatever ties its inputs) a `quantize` node
/// "<node>/from_<tensor>" in front of each input whose range is fixed (an input of the graph, softmax,
/// logistic, tanh, what only moves these), unless all inputs share that range, or are constants that lie
/// within one of TFLite's: a tie between them could not hold. Real values stay as they are; tensors keep
/// their indices.
void SeparateFixedRanges(Graph& graph);

}  // namespace qat

#endif  // QAT_IR_RANGE_GROUPS_H_
