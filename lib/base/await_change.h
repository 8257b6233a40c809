// await_change.h: waits for another thread's atomic, and stays awake while that is probably short.
#ifndef QAT_BASE_AWAIT_CHANGE_H_
#define QAT_BASE_AWAIT_CHANGE_H_

#include <algorithm>
#include <atomic>

namespace qat {

/// Looks at most `looks` times whether the value is still `old`; 4,096 looks take 50 to 100 us, by the
/// processor (102 on an AMD EPYC).
template <class T>
bool ChangesSoon(const std::atomic<T>& value, T old, int looks) {
  for (int i = 0; i < looks; ++i) {
    if (value.load(std::memory_order_acquire) != old) return true;
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }
  return false;
}

/// Returns the value once it is no longer `old`; sleeps after so many looks.
template <class T>
T AwaitChange(const std::atomic<T>& value, T old, int looks) {
  if (!ChangesSoon(value, old, looks)) value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

/// Of a thread that waits for others again and again: stays awake for as long as that has paid lately. Where
/// there are fewer processors than threads, it soon leaves its own to the others.
class PatientWait {
 public:
  explicit PatientWait(int most_looks) : most_(most_looks), looks_(most_looks) {}

  template <class T>
  T AwaitChange(const std::atomic<T>& value, T old) {
    const bool soon = ChangesSoon(value, old, looks_);
    looks_ = soon ? std::min(2 * looks_, most_) : std::max(looks_ / 2, kLeast);
    if (!soon) value.wait(old, std::memory_order_acquire);
    return value.load(std::memory_order_acquire);
  }

 private:
  static constexpr int kLeast = 64;  // some 2 us
  int most_;
  int looks_;
};

}  // namespace qat

#endif  // QAT_BASE_AWAIT_CHANGE_H_
