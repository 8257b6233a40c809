#include "runtime/kernels/thread_pool.h"

#include <exception>

#include "base/await_change.h"
#include "base/check.h"

namespace qat {
namespace {

constexpr int kLooks = 4096;  // 50 to 100 us: longer than the serial stretch between two layers

constexpr uint64_t Pack(uint32_t round, uint32_t begin, uint32_t end) {
  return uint64_t{round} << 32 | begin << 16 | end;
}
constexpr uint32_t RoundOf(uint64_t left) { return static_cast<uint32_t>(left >> 32); }
constexpr uint32_t BeginOf(uint64_t left) { return static_cast<uint32_t>(left >> 16) & 0xffff; }
constexpr uint32_t EndOf(uint64_t left) { return static_cast<uint32_t>(left) & 0xffff; }

}  // namespace

ThreadPool::ThreadPool(int threads) {
  QAT_CHECK(threads >= 1 && threads <= kMaxThreads);
  shares_ = std::make_unique<Share[]>(static_cast<size_t>(threads));
  try {
    for (int thread = 1; thread < threads; ++thread) workers_.emplace_back([this, thread] { Work(thread); });
  } catch (const std::exception&) {
    // No memory for another, or the system's limit: those that could be started are enough.
  }
}

ThreadPool::~ThreadPool() {
  stop_.store(true, std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::RunTask(int parts, const void* object, Call call) {
  QAT_CHECK(parts >= 0 && parts <= 0xffff);
  if (parts == 0) return;
  object_ = object;
  call_ = call;
  parts_.store(parts, std::memory_order_relaxed);
  undone_.store(static_cast<uint32_t>(parts), std::memory_order_relaxed);
  const uint32_t round = round_.load(std::memory_order_relaxed) + 1;
  round_.store(round, std::memory_order_release);
  round_.notify_all();
  TakeParts(round, 0);
  uint32_t undone = undone_.load(std::memory_order_acquire);
  while (undone != 0) undone = AwaitChange(undone_, undone, kLooks);
}

void ThreadPool::Work(int thread) {
  uint32_t round = 0;
  for (;;) {
    round = AwaitChange(round_, round, kLooks);
    if (stop_.load(std::memory_order_relaxed)) return;
    TakeParts(round, thread);
  }
}

// Calls the parts that are left of a share, the first ones of one's own, the last ones of another's. Returns
// how many.
uint32_t ThreadPool::TakeFrom(int owner, uint32_t round, int thread) {
  std::atomic<uint64_t>& share = shares_[static_cast<size_t>(owner)].left;
  uint32_t taken = 0;
  uint64_t left = share.load(std::memory_order_acquire);
  for (;;) {
    uint32_t begin = BeginOf(left), end = EndOf(left);
    if (RoundOf(left) == round - 1) {
      const int64_t parts = parts_.load(std::memory_order_relaxed);
      begin = static_cast<uint32_t>(parts * owner / threads());
      end = static_cast<uint32_t>(parts * (owner + 1) / threads());
    } else if (RoundOf(left) != round || begin == end) {
      return taken;
    }
    const bool any = begin < end, first = owner == thread;
    const uint32_t part = first ? begin : end - 1;
    const uint64_t rest =
        any ? Pack(round, begin + (first ? 1 : 0), end - (first ? 0 : 1)) : Pack(round, 0, 0);
    if (!share.compare_exchange_weak(left, rest, std::memory_order_acq_rel)) continue;
    left = rest;
    if (!any) continue;
    call_(object_, static_cast<int>(part), thread);
    ++taken;
    left = share.load(std::memory_order_acquire);
  }
}

// Where no thread has more than one part, only the caller looks after others, which may still sleep: a look
// at a share takes it from its owner's cache.
void ThreadPool::TakeParts(uint32_t round, int thread) {
  const bool takes_over = thread == 0 || parts_.load(std::memory_order_relaxed) > threads();
  uint32_t taken = TakeFrom(thread, round, thread);
  for (int i = 1; takes_over && i < threads(); ++i)
    taken += TakeFrom((thread + i) % threads(), round, thread);
  if (taken > 0 && undone_.fetch_sub(taken, std::memory_order_acq_rel) == taken) undone_.notify_one();
}

}  // namespace qat
