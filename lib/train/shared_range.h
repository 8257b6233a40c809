// shared_range.h: the range of a group of outputs that have one scale and zero point (ir/range_groups.h):
// fixed, or the union of what the observers of the group have learned. No LibTorch here.
#ifndef QAT_TRAIN_SHARED_RANGE_H_
#define QAT_TRAIN_SHARED_RANGE_H_

#include <optional>
#include <vector>

#include "quant/params.h"
#include "quant/precision.h"
#include "train/observer.h"

namespace qat {

class SharedRange {
 public:
  explicit SharedRange(const Precision& precision) : precision_(precision) {}

  void Fix(QuantizationParams params) { fixed_ = params; }
  bool fixed() const { return fixed_.has_value(); }
  /// The observer must outlive the range.
  void Add(RangeObserver* observer) { observers_.push_back(observer); }
  /// The range holds this one, too, whatever is observed: constants of the group.
  void Include(Range constants) { constants_ = constants; }

  /// Fixed, or there is something to hold.
  bool ready() const;
  /// Every observer has seen something; false where there are none.
  bool complete() const;
  /// The union of what the observers have learned and of the constants. Requires ready, and not fixed.
  Range range() const;
  /// NudgedParams of the range, in the integers of the precision. Requires ready, and integers.
  QuantizationParams params() const;
  /// Replaces what every observer has learned.
  void FixObservers(Range range);
  const Precision& precision() const { return precision_; }

 private:
  Precision precision_;
  std::optional<QuantizationParams> fixed_;
  std::optional<Range> constants_;
  std::vector<RangeObserver*> observers_;
};

}  // namespace qat

#endif  // QAT_TRAIN_SHARED_RANGE_H_
