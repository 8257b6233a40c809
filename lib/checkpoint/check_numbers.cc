#include "checkpoint/check_numbers.h"

#include <algorithm>
#include <cmath>

#include "base/strings.h"

namespace qat {
namespace {

bool AllFinite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

}  // namespace

Status CheckNumbers(const Checkpoint& checkpoint) {
  std::vector<std::string> not_finite;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    if (!AllFinite(tensor.values)) not_finite.push_back(name);
  }
  for (const auto& [name, ends] : checkpoint.filter_ranges) {
    if (!AllFinite(ends.values)) not_finite.push_back(name + " (its range)");
  }
  if (!not_finite.empty()) {
    return Numerical(StrCat("values that are not finite in: ", Join(not_finite), "; the training diverged"));
  }
  for (const auto& [name, trained] : checkpoint.ranges) {
    const Range& r = trained.range;
    if (!std::isfinite(r.max - r.min) || !std::isfinite(r.min) || !std::isfinite(r.max)) {
      return Numerical(StrCat("range '", name, "' is [", r.min, ", ", r.max, "], expected finite ends"));
    }
    if (r.min > r.max)
      return Corrupt(StrCat("range '", name, "' is [", r.min, ", ", r.max, "], its ends are swapped"));
  }
  return {};
}

}  // namespace qat
