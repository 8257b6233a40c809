// peak_memory.h: how much memory a piece of work takes at most, measured in a process of its own.
#ifndef QAT_EVAL_PEAK_MEMORY_H_
#define QAT_EVAL_PEAK_MEMORY_H_

#include <cstdint>
#include <functional>

namespace qat {

/// Bytes resident at most in a child that does `work` and ends, the program itself included; what the caller
/// holds already counts, too, so call it before anything large is read. 0: no child could be started, or it
/// did not end well.
/// Requires  no other thread of this process: a child has none but the one that calls.
int64_t PeakMemoryOf(const std::function<void()>& work);

}  // namespace qat

#endif  // QAT_EVAL_PEAK_MEMORY_H_
