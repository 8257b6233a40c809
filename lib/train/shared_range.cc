#include "train/shared_range.h"

#include <algorithm>

#include "base/check.h"

namespace qat {

bool SharedRange::ready() const {
  return fixed_.has_value() || std::any_of(observers_.begin(), observers_.end(),
                                           [](const RangeObserver* each) { return !each->empty(); });
}

QuantizationParams SharedRange::params() const {
  QAT_CHECK(ready());
  if (fixed_) return *fixed_;
  Range all;  // every observed range holds 0
  for (const RangeObserver* each : observers_) {
    if (each->empty()) continue;
    const Range range = each->range();
    all = {std::min(all.min, range.min), std::max(all.max, range.max)};
  }
  return NudgedParams(RangeFor(precision_, all), LimitsOf(precision_));
}

}  // namespace qat
