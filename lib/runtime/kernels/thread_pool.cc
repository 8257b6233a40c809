#include "runtime/kernels/thread_pool.h"

#include "base/check.h"

namespace qat {
namespace {

constexpr int kSpins = 4096;  // some 50 us: longer than the serial stretch between two layers

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Returns once `value` is no longer `old`.
uint32_t AwaitChange(const std::atomic<uint32_t>& value, uint32_t old) {
  for (int i = 0; i < kSpins; ++i) {
    const uint32_t now = value.load(std::memory_order_acquire);
    if (now != old) return now;
    Pause();
  }
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

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
  for (int thread = 1; thread < threads; ++thread) workers_.emplace_back([this, thread] { Work(thread); });
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
  shares_are_long_ = parts > threads();
  undone_.store(static_cast<uint32_t>(parts), std::memory_order_relaxed);
  const uint32_t round = round_.load(std::memory_order_relaxed) + 1;
  for (int64_t thread = 0; thread < threads(); ++thread) {
    const int64_t begin = parts * thread / threads(), end = parts * (thread + 1) / threads();
    shares_[static_cast<size_t>(thread)].left.store(
        Pack(round, static_cast<uint32_t>(begin), static_cast<uint32_t>(end)), std::memory_order_release);
  }
  round_.store(round, std::memory_order_release);
  round_.notify_all();
  TakeParts(round, 0);
  uint32_t undone = undone_.load(std::memory_order_acquire);
  while (undone != 0) undone = AwaitChange(undone_, undone);
}

void ThreadPool::Work(int thread) {
  uint32_t round = 0;
  for (;;) {
    round = AwaitChange(round_, round);
    if (stop_.load(std::memory_order_relaxed)) return;
    TakeParts(round, thread);
  }
}

// Calls a share's parts, the first or the last that is left, until none is. Returns how many.
uint32_t ThreadPool::TakeFrom(Share& share, uint32_t round, int thread, bool first) {
  uint32_t taken = 0;
  uint64_t left = share.left.load(std::memory_order_acquire);
  while (RoundOf(left) == round && BeginOf(left) < EndOf(left)) {
    const uint32_t begin = BeginOf(left) + (first ? 1 : 0), end = EndOf(left) - (first ? 0 : 1);
    if (!share.left.compare_exchange_weak(left, Pack(round, begin, end), std::memory_order_acq_rel)) continue;
    call_(object_, static_cast<int>(first ? begin - 1 : end), thread);
    ++taken;
    left = share.left.load(std::memory_order_acquire);
  }
  return taken;
}

void ThreadPool::TakeParts(uint32_t round, int thread) {
  // Where each thread has one part, only the caller looks after others, which may still sleep: a look at a share takes it
  // from its owner's cache.
  const int count = thread == 0 || shares_are_long_ ? threads() : 1;
  uint32_t taken = 0;
  for (int i = 0; i < count; ++i) {
    const int owner = (thread + i) % threads();
    taken += TakeFrom(shares_[static_cast<size_t>(owner)], round, thread, owner == thread);
  }
  if (taken > 0 && undone_.fetch_sub(taken, std::memory_order_acq_rel) == taken) undone_.notify_one();
}

}  // namespace qat
