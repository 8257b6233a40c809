// scaling.h: the parameters that scale a whole network: the width of its layers, the size of its input.
#ifndef QAT_SPEC_SCALING_H_
#define QAT_SPEC_SCALING_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "ops/op.h"

namespace qat {

/// Top-level keys of a spec.
struct Scaling {
  double width = 1;        ///< factor of every layer's `filters`
  int32_t divisor = 8;     ///< scaled filters are multiples of it
  int32_t resolution = 0;  ///< height and width of the input; 0: [input] says them
  int32_t classes = 0;     ///< what `filters = "classes"` and `units = "classes"` stand for; 0: not said
};

/// What flags say instead of the spec's own values; 0: as the spec has it.
struct ScalingFlags {
  double width = 0;
  int32_t resolution = 0;
  int32_t classes = 0;
};

/// The text of a spec with these values in the place of its own, so that it parses alone. Errors:
/// kInvalidArgument where it does not parse or has no such key.
Expected<std::string> WithScaling(std::string text, const std::string& source, const ScalingFlags& flags);

/// filters * width, to the nearest multiple of `divisor` (at least one of it), and one more of it where that
/// were less than nine tenths. Source    Howard et al. 2017 and Sandler et al. 2018, as their published
/// models round.
int32_t ScaledFilters(int32_t filters, double width, int32_t divisor);

/// The number of filters of an operator that has one; else null.
int32_t* FiltersOf(OpAttributes& attributes);

/// 6 of "6x", at most 4096; 0 of anything else.
int32_t TimesOf(std::string_view text);

bool HasStride(const OpAttributes& attributes);
/// Requires HasStride.
void SetStrideToOne(OpAttributes& attributes);

}  // namespace qat

#endif  // QAT_SPEC_SCALING_H_
