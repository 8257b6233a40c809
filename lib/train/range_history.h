// range_history.h: earlier values of ranges, to decide whether they have settled.
#ifndef QAT_TRAIN_RANGE_HISTORY_H_
#define QAT_TRAIN_RANGE_HISTORY_H_

#include <cstdint>
#include <deque>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "quant/params.h"

namespace qat {

/// Remembers the ranges of all observers once in a hundredth of the training, as far back as a tenth.
class RangeHistory {
 public:
  explicit RangeHistory(int64_t steps);

  bool Due(int64_t step) const { return step % interval_ == 0; }
  /// Requires as many ranges, in the same order, every time; steps ascending.
  void Record(int64_t step, std::vector<Range> ranges);

  /// Drift of range `index` up to `now` at `step`, since a tenth of the training ago or, where that is
  /// further back than anything recorded, since the first record; 0 without any.
  float DriftOf(size_t index, Range now) const;

  void Save(TrainerState& state) const;
  /// Errors: kCorrupt.
  Status Load(const TrainerState& state);

 private:
  struct Snapshot {
    int64_t step;
    std::vector<Range> ranges;
  };
  int64_t interval_;
  std::deque<Snapshot> snapshots_;
};

}  // namespace qat

#endif  // QAT_TRAIN_RANGE_HISTORY_H_
