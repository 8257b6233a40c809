// local_workers.h: threads of one process that train together, each with a share of every batch: with small
// layers they keep cores busier than threads that share each operator do. No LibTorch here.
#ifndef QAT_TRAIN_LOCAL_WORKERS_H_
#define QAT_TRAIN_LOCAL_WORKERS_H_

#include <functional>
#include <memory>

#include "train/workers.h"

namespace qat {

/// Calls work(workers) in `size` threads, with rank 0 in the calling one, and returns when all have ended.
/// Who lets go of its `workers` before the others is lost to them: their next call throws WorkerLost, unless
/// they make no more. Sums are taken in the order of ranks: the same bytes for the same number of threads.
/// `work` must not throw but in the calling thread, where an exception goes on once all have ended. Throws
/// std::system_error where a thread cannot start.
void TrainTogether(int size, const std::function<void(std::shared_ptr<Workers>)>& work);

}  // namespace qat

#endif  // QAT_TRAIN_LOCAL_WORKERS_H_
