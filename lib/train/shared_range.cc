#include "train/shared_range.h"

#include <algorithm>

#include "base/check.h"

namespace qat {

bool SharedRange::ready() const {
  return fixed_.has_value() || constants_.has_value() ||
         std::any_of(observers_.begin(), observers_.end(),
                     [](const RangeObserver* each) { return !each->empty(); });
}

bool SharedRange::complete() const {
  return !observers_.empty() && std::none_of(observers_.begin(), observers_.end(),
                                             [](const RangeObserver* each) { return each->empty(); });
}

Range SharedRange::range() const {
  QAT_CHECK(ready() && !fixed_);
  Range all = constants_.value_or(Range());  // every range holds 0
  for (const RangeObserver* each : observers_) {
    if (each->empty()) continue;
    all = UnionOf(all, each->range());
  }
  return all;
}

QuantizationParams SharedRange::params() const {
  if (fixed_) return *fixed_;
  return NudgedParams(RangeFor(precision_, range()), LimitsOf(precision_));
}

void SharedRange::FixObservers(Range range) {
  for (RangeObserver* each : observers_) each->Fix(range);
}

}  // namespace qat
