#include "train/observer.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace qat {

void RangeObserver::Observe(Range seen) {
  const Range range = IncludingZero(seen);
  if (covers_ && !empty()) {
    const Range so_far = this->range();
    state_ = {std::min<double>(range.min, decay_ * so_far.min + (1 - decay_) * range.min),
              std::max<double>(range.max, decay_ * so_far.max + (1 - decay_) * range.max), 1};
    return;
  }
  state_.min_sum = decay_ * state_.min_sum + range.min;
  state_.max_sum = decay_ * state_.max_sum + range.max;
  state_.weight = decay_ * state_.weight + 1;
}

Range RangeObserver::range() const {
  QAT_CHECK(!empty());
  return {static_cast<float>(state_.min_sum / state_.weight),
          static_cast<float>(state_.max_sum / state_.weight)};
}

float Drift(Range before, Range now) {
  const float moved = std::max(std::abs(now.min - before.min), std::abs(now.max - before.max));
  const float width = now.max - now.min;
  if (width > 0) return moved / width;
  return moved > 0 ? 1.0f : 0.0f;
}

}  // namespace qat
