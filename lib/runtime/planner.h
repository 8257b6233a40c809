// planner.h: places buffers in one arena: buffers that live at the same time never overlap.
#ifndef QAT_RUNTIME_PLANNER_H_
#define QAT_RUNTIME_PLANNER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace qat {

/// Every offset is a multiple of this: a cache line, and the widest vector register.
inline constexpr size_t kArenaAlignment = 64;

/// A buffer that is written by step `first` and read until step `last`, both included.
struct BufferLifetime {
  size_t size = 0;
  int32_t first = 0;
  int32_t last = 0;
};

struct MemoryPlan {
  std::vector<size_t> offsets;  ///< one per buffer, in the order given
  size_t arena_size = 0;        ///< rounded up to kArenaAlignment
  size_t end = 0;               ///< of the last buffer
};

/// The most bytes that live at one step, rounded up as they are placed.
size_t PeakOf(std::span<const BufferLifetime> buffers);

/// Places the buffers one by one, each at the lowest offset that is free for its lifetime, in several orders
/// (the largest first, the longest lived first, …), and keeps the order that needs least.
/// Requires  first <= last; sizes whose sum fits into size_t.
MemoryPlan PlanMemory(std::span<const BufferLifetime> buffers);

}  // namespace qat

#endif  // QAT_RUNTIME_PLANNER_H_
