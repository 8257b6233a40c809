// in_threads.h: the same work in several threads that train together, as one result.
#ifndef QAT_TRAIN_IN_THREADS_H_
#define QAT_TRAIN_IN_THREADS_H_

#include <algorithm>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/expected.h"
#include "base/strings.h"
#include "train/local_workers.h"
#include "train/threads.h"
#include "train/torch_error.h"

namespace qat {

template <class T>
using ThreadWork = std::function<Expected<T>(std::shared_ptr<Workers>)>;

/// What `work` comes to; what it throws becomes an error.
template <class T>
Expected<T> Guarded(const std::function<Expected<T>()>& work) {
  try {
    return work();
  } catch (const WorkerLost& lost) {
    return SystemError(lost.what());
  } catch (const std::exception& exception) {
    return TorchError(exception);
  }
}

/// Calls `work` in `ranks` threads (TrainTogether), each with its part of LibTorch's `threads`, and returns
/// what rank 0 came to. Where that is kSystem since another thread has ended, the reason of that one comes
/// first.
template <class T>
Expected<T> InThreads(int ranks, int threads, const ThreadWork<T>& work) {
  std::vector<std::optional<Expected<T>>> results(static_cast<size_t>(ranks));
  std::mutex mutex;
  std::optional<size_t> first_failed;
  TrainTogether(ranks, [&](std::shared_ptr<Workers> workers) {
    SetOwnThreads(std::max(1, threads / ranks));
    const auto rank = static_cast<size_t>(workers->place().rank);
    Expected<T> result = Guarded<T>([&] { return work(workers); });
    // Before `workers` is let go of, which ends the others.
    const std::lock_guard lock(mutex);
    if (!result.ok() && !first_failed) first_failed = rank;
    results[rank] = std::move(result);
  });
  SetOwnThreads(threads);
  Expected<T>& own = *results[0];
  if (own.ok() || own.error().code != ErrorCode::kSystem || first_failed == size_t{0}) return std::move(own);
  const Error& reason = results[*first_failed]->error();
  return Error{reason.code, StrCat(reason.message, "; ", own.error().message)};
}

}  // namespace qat

#endif  // QAT_TRAIN_IN_THREADS_H_
