// run_store.h: the checkpoints of a run on disk: which are written, kept and found again.
#ifndef QAT_TRAIN_RUN_STORE_H_
#define QAT_TRAIN_RUN_STORE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/expected.h"
#include "checkpoint/checkpoint.h"
#include "spec/schedule.h"

namespace qat {

struct SavedRun {
  Checkpoint checkpoint;
  TrainerState state;
  std::string warning;  ///< a sentence on newer ones that were passed over; empty: it is the newest
};

/// Writes STEP.state, then STEP.ckpt, each under a temporary name first: a .ckpt that is there has its
/// .state. Errors: kIoError.
Status SaveRun(const std::string& run, const Checkpoint& checkpoint, const TrainerState& state);

/// A number of a state. Errors: kCorrupt, where it is missing.
Expected<double> NumberOf(const TrainerState& state, const std::string& name);

/// The newest checkpoint of which both files are whole; damaged or half-written ones are passed over. Empty
/// where there is no checkpoint. Errors: kCorrupt where there are some and none is whole, with what is wrong
/// with the newest.
Expected<std::optional<SavedRun>> LoadNewestRun(const std::string& run);

/// Whether the checkpoint of `step` is kept once the one of `newest` is there. Kept are the newest, the best,
/// those that the schedule wrote while they are at most 20, and beyond that the last five and every 2^k-th
/// such that at most ten remain. What an interruption wrote goes away with the next checkpoint, so that the
/// run's bytes do not depend on it.
bool IsKept(const Schedule& schedule, int64_t step, int64_t newest, int64_t best);

/// Removes what is not kept, and the .state of all but the newest two: nobody resumes from further back.
/// Errors: kIoError.
Status PruneRun(const std::string& run, const Schedule& schedule, int64_t newest, int64_t best);

}  // namespace qat

#endif  // QAT_TRAIN_RUN_STORE_H_
