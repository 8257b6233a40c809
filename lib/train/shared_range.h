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
  /// The observer must outlive the range.
  void Add(const RangeObserver* observer) { observers_.push_back(observer); }

  /// Fixed, or an observer has seen something.
  bool ready() const;
  /// NudgedParams of the union, in the integers of the precision. Requires ready, and integers.
  QuantizationParams params() const;
  const Precision& precision() const { return precision_; }

 private:
  Precision precision_;
  std::optional<QuantizationParams> fixed_;
  std::vector<const RangeObserver*> observers_;
};

}  // namespace qat

#endif  // QAT_TRAIN_SHARED_RANGE_H_
