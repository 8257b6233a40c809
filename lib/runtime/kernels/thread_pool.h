// thread_pool.h: the threads of an interpreter. Kernels split their rows over them; with one thread there is
// no pool and no cost.
#ifndef QAT_RUNTIME_KERNELS_THREAD_POOL_H_
#define QAT_RUNTIME_KERNELS_THREAD_POOL_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace qat {

/// Workers that wait for one task at a time. Between two tasks they spin for some microseconds, then sleep.
/// Each thread has a share of the parts, the same one whenever their number is the same, so that it finds its
/// data in its own cache; a thread that has finished its share takes over the last parts of others. Run is
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

  /// Calls task(part, thread) once for each part below `parts`, on this thread and on the workers, and
  /// returns when all are done. `thread` is below threads(); no two calls at a time have the same. Requires
  /// parts <= 65535.
  template <class Task>
  void Run(int parts, const Task& task) {
    RunTask(parts, &task, [](const void* object, int part, int thread) {
      (*static_cast<const Task*>(object))(part, thread);
    });
  }

 private:
  using Call = void (*)(const void* object, int part, int thread);

  // What is left of a thread's share in a round: the round, the first part and the one after the last, in one
  // word, so that a worker that wakes late cannot take a part of another round. A share that is still of the
  // round before is untouched:
  // the first thread that takes from it computes it, and nothing is written to begin a round. When a round
  // ends, all of its shares have been touched.
  struct alignas(64) Share {
    std::atomic<uint64_t> left = 0;
  };

  void RunTask(int parts, const void* object, Call call);
  void Work(int thread);
  void TakeParts(uint32_t round, int thread);
  uint32_t TakeFrom(int owner, uint32_t round, int thread);

  std::unique_ptr<Share[]> shares_;  // one per thread
  // One cache line: what a worker needs to know of a round. `parts_` may be of the next one already; then no
  // take succeeds.
  alignas(64) std::atomic<uint32_t> round_ = 0;
  std::atomic<int32_t> parts_ = 0;
  std::atomic<uint32_t> undone_ = 0;
  std::atomic<bool> stop_ = false;
  const void* object_ = nullptr;  // valid from a successful take to the end of its round
  Call call_ = nullptr;
  std::vector<std::thread> workers_;
};

/// Calls run(begin, end, thread) for runs that make up [0, count), each but the last a multiple of `grain`
/// long. One run on thread 0 where there is no pool, or so little work that it is done before another thread
/// has begun; else one or more for each thread: several for much work, so that a slower thread leaves some to
/// the others. `work` is that of all, in multiply-accumulates of a product; a kernel that makes fewer of its
/// own in that time counts each for more. The runs depend on work, count, grain and the pool's size only.
template <class Function>
void ForRuns(ThreadPool* pool, int64_t work, int64_t count, int64_t grain, const Function& run) {
  // Multiply-accumulates. kLeastWork takes about as long as waking a thread: 0.6 µs in int8 and 2 µs in float
  // at the speed of resnet8 in docs/benchmarks-runtime.md. kWorkOfARun and kMostRuns: trials with two
  // threads, commit a16af43.
  constexpr int64_t kLeastWork = 100'000, kWorkOfARun = 1'000'000, kMostRuns = 4;
  const int64_t threads = pool == nullptr || work < kLeastWork ? 1 : pool->threads();
  const int64_t runs = std::clamp<int64_t>(work / threads / kWorkOfARun, 1, kMostRuns);  // of a thread
  const int64_t grains = (count + grain - 1) / grain;
  const int64_t parts = threads == 1 ? 1 : std::min(threads * runs, grains);
  if (parts <= 1) return run(int64_t{0}, count, 0);
  pool->Run(static_cast<int>(parts), [&](int part, int thread) {
    const int64_t begin = grains * part / parts * grain;
    const int64_t end = std::min(count, grains * (part + 1) / parts * grain);
    run(begin, end, thread);
  });
}

/// Whether threads take whole images of a batch rather than a part of each: if that keeps all of them busy.
inline bool SharesImages(int64_t batch, int64_t threads) {
  return threads > 1 && batch > 1 && (batch % threads == 0 || batch >= 4 * threads);
}

/// Calls run(image, thread, pool) for the images of a batch, `pool` being what may share this image: none
/// where the threads share the images. `work` is that of all, as for ForRuns.
template <class Function>
void ForImages(ThreadPool* pool, int64_t work, int64_t batch, const Function& run) {
  ThreadPool* const none = nullptr;
  if (pool != nullptr && SharesImages(batch, pool->threads())) {
    return ForRuns(pool, work, batch, 1, [&](int64_t begin, int64_t end, int thread) {
      for (int64_t image = begin; image < end; ++image) run(image, thread, none);
    });
  }
  for (int64_t image = 0; image < batch; ++image) run(image, 0, pool);
}

}  // namespace qat

#endif  // QAT_RUNTIME_KERNELS_THREAD_POOL_H_
