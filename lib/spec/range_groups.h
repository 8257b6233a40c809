// range_groups.h: which outputs of a network share one scale and zero point. Pools and reshapes pass on what they read;
// concatenation, maximum and minimum tie all that they read to what they write; the input, softmax, logistic and tanh are
// fixed. Training, freezing and printing read it here, so nothing changes at conversion.
#ifndef QAT_SPEC_RANGE_GROUPS_H_
#define QAT_SPEC_RANGE_GROUPS_H_

#include <optional>
#include <vector>

#include "spec/network_spec.h"

namespace qat {

struct RangeGroup {
  /// Layers whose observed outputs make the range: it is the union of theirs. Empty where it is fixed.
  std::vector<int32_t> observed;
  bool holds_input = false;                       ///< fixed by the input contract
  std::optional<QuantizationParams> fixed_uint8;  ///< fixed by TFLite's specification
};

struct RangeGroups {
  std::vector<RangeGroup> groups;
  std::vector<int32_t> of_layer;  ///< group of each layer's output; -1 for indices
  int32_t of_input = 0;

  /// Group of a layer or of kNetworkInput.
  const RangeGroup& Of(int32_t layer) const {
    return groups[static_cast<size_t>(layer == kNetworkInput ? of_input
                                                             : of_layer[static_cast<size_t>(layer)])];
  }
};

/// Requires a spec from ParseNetworkSpec: whatever would tie a fixed range to another one is separated by a `quantize`
/// layer there.
RangeGroups FindRangeGroups(const NetworkSpec& spec);

}  // namespace qat

#endif  // QAT_SPEC_RANGE_GROUPS_H_
