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

constexpr uint64_t Pack(uint32_t round, uint32_t parts) { return uint64_t{round} << 32 | parts << 16; }
constexpr uint32_t RoundOf(uint64_t left) { return static_cast<uint32_t>(left >> 32); }
constexpr uint32_t PartsOf(uint64_t left) { return static_cast<uint32_t>(left >> 16) & 0xffff; }
constexpr uint32_t NextOf(uint64_t left) { return static_cast<uint32_t>(left) & 0xffff; }

}  // namespace

ThreadPool::ThreadPool(int threads) {
  QAT_CHECK(threads >= 1 && threads <= kMaxThreads);
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
  done_.store(0, std::memory_order_relaxed);
  const uint32_t round = round_.load(std::memory_order_relaxed) + 1;
  left_.store(Pack(round, static_cast<uint32_t>(parts)), std::memory_order_release);
  round_.store(round, std::memory_order_release);
  round_.notify_all();
  TakeParts(round, 0);
  uint32_t done = done_.load(std::memory_order_acquire);
  while (done != static_cast<uint32_t>(parts)) done = AwaitChange(done_, done);
}

void ThreadPool::Work(int thread) {
  uint32_t round = 0;
  for (;;) {
    round = AwaitChange(round_, round);
    if (stop_.load(std::memory_order_relaxed)) return;
    TakeParts(round, thread);
  }
}

void ThreadPool::TakeParts(uint32_t round, int thread) {
  uint64_t left = left_.load(std::memory_order_acquire);
  while (RoundOf(left) == round && NextOf(left) < PartsOf(left)) {
    if (!left_.compare_exchange_weak(left, left + 1, std::memory_order_acq_rel)) continue;
    const uint32_t parts = PartsOf(left);
    call_(object_, static_cast<int>(NextOf(left)), thread);
    if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == parts) done_.notify_one();
    left = left_.load(std::memory_order_acquire);
  }
}

}  // namespace qat
