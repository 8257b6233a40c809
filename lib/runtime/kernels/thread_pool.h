// thread_pool.h: the threads of an interpreter. Kernels split their rows over them; who asks for one thread has no
// pool and pays nothing.
#ifndef QAT_RUNTIME_KERNELS_THREAD_POOL_H_
#define QAT_RUNTIME_KERNELS_THREAD_POOL_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace qat {

/// Workers that wait for one task at a time. Between two tasks they spin for some microseconds, then sleep. Run is
/// for one thread at a time, allocates nothing, and takes no lock.
class ThreadPool {
 public:
  static constexpr int kMaxThreads = 1024;

  /// `threads` counts the caller: a pool of 2 starts one worker. Requires 1 to kMaxThreads.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls task(part, thread) once for each part below `parts`, on this thread and on the workers, and returns when
  /// all are done. `thread` is below threads(); no two calls at a time have the same. Requires parts <= 65535.
  template <class Task>
  void Run(int parts, const Task& task) {
    RunTask(parts, &task, [](const void* object, int part, int thread) {
      (*static_cast<const Task*>(object))(part, thread);
    });
  }

 private:
  using Call = void (*)(const void* object, int part, int thread);

  void RunTask(int parts, const void* object, Call call);
  void Work(int thread);
  void TakeParts(uint32_t round, int thread);

  // What is left of a round: its number, its parts, the next part; in one word, so that a worker that wakes late
  // cannot take a part of another round.
  std::atomic<uint64_t> left_ = 0;
  std::atomic<uint32_t> round_ = 0;
  std::atomic<uint32_t> done_ = 0;
  std::atomic<bool> stop_ = false;
  const void* object_ = nullptr;  // valid from a successful take to the end of its round
  Call call_ = nullptr;
  std::vector<std::thread> workers_;
};

/// Calls run(begin, end, thread) for runs that make up [0, count), at most one a thread, each but the last a multiple
/// of `grain` long. A null pool: one run on thread 0. The runs depend on count, grain and the pool's size only.
template <class Function>
void ForRuns(ThreadPool* pool, int64_t count, int64_t grain, const Function& run) {
  const int64_t grains = (count + grain - 1) / grain;
  const int64_t parts = pool == nullptr ? 1 : std::min<int64_t>(pool->threads(), grains);
  if (parts <= 1) return run(int64_t{0}, count, 0);
  pool->Run(static_cast<int>(parts), [&](int part, int thread) {
    const int64_t begin = grains * part / parts * grain;
    const int64_t end = std::min(count, grains * (part + 1) / parts * grain);
    run(begin, end, thread);
  });
}

}  // namespace qat

#endif  // QAT_RUNTIME_KERNELS_THREAD_POOL_H_
