#include "train/range_history.h"

#include <algorithm>

#include "base/strings.h"
#include "train/observer.h"

namespace qat {
namespace {

constexpr int64_t kParts = 100;  // records in a whole training
constexpr size_t kKept = 10;     // of them, a tenth

}  // namespace

RangeHistory::RangeHistory(int64_t steps) : interval_(std::max<int64_t>(steps / kParts, 1)) {}

void RangeHistory::Record(int64_t step, std::vector<Range> ranges) {
  snapshots_.push_back({step, std::move(ranges)});
  if (snapshots_.size() > kKept) snapshots_.pop_front();
}

float RangeHistory::DriftOf(size_t index, Range now) const {
  return snapshots_.empty() ? 0.0f : Drift(snapshots_.front().ranges.at(index), now);
}

void RangeHistory::Save(TrainerState& state) const {
  state.scalars["history/size"] = static_cast<double>(snapshots_.size());
  for (size_t i = 0; i < snapshots_.size(); ++i) {
    const Snapshot& snapshot = snapshots_[i];
    NamedTensor ends{{static_cast<int32_t>(snapshot.ranges.size()), 2}, {}};
    for (const Range range : snapshot.ranges) ends.values.insert(ends.values.end(), {range.min, range.max});
    state.scalars[StrCat("history/", i, "/step")] = static_cast<double>(snapshot.step);
    state.tensors[StrCat("history/", i)] = std::move(ends);
  }
}

Status RangeHistory::Load(const TrainerState& state) {
  snapshots_.clear();
  const auto size = state.scalars.find("history/size");
  if (size == state.scalars.end()) return Corrupt("number 'history/size' is missing");
  for (size_t i = 0; i < static_cast<size_t>(size->second); ++i) {
    const auto step = state.scalars.find(StrCat("history/", i, "/step"));
    const auto ends = state.tensors.find(StrCat("history/", i));
    if (step == state.scalars.end() || ends == state.tensors.end()) {
      return Corrupt(StrCat("record 'history/", i, "' is missing"));
    }
    Snapshot snapshot{static_cast<int64_t>(step->second), {}};
    for (size_t k = 0; k + 1 < ends->second.values.size(); k += 2) {
      snapshot.ranges.push_back({ends->second.values[k], ends->second.values[k + 1]});
    }
    snapshots_.push_back(std::move(snapshot));
  }
  return {};
}

}  // namespace qat
