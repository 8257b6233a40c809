#include "runtime/planner.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"

namespace qat {
namespace {

size_t Aligned(size_t size) { return (size + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment; }

bool LiveTogether(const BufferLifetime& a, const BufferLifetime& b) {
  return a.first <= b.last && b.first <= a.last;
}

struct Placed {
  size_t begin;
  size_t end;
  const BufferLifetime* lifetime;
};

// `placed` is sorted by begin.
size_t LowestFreeOffset(const std::vector<Placed>& placed, const BufferLifetime& buffer, size_t size) {
  size_t offset = 0;
  for (const Placed& other : placed) {
    if (!LiveTogether(*other.lifetime, buffer)) continue;
    if (offset + size <= other.begin) break;
    offset = std::max(offset, other.end);
  }
  return offset;
}

}  // namespace

MemoryPlan PlanMemory(std::span<const BufferLifetime> buffers) {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return buffers[a].size > buffers[b].size; });
  MemoryPlan plan;
  plan.offsets.resize(buffers.size());
  std::vector<Placed> placed;
  for (size_t index : order) {
    const BufferLifetime& buffer = buffers[index];
    QAT_CHECK(buffer.first <= buffer.last);
    const size_t size = Aligned(buffer.size);
    const size_t offset = LowestFreeOffset(placed, buffer, size);
    const auto behind =
        std::upper_bound(placed.begin(), placed.end(), offset,
                         [](size_t value, const Placed& other) { return value < other.begin; });
    placed.insert(behind, {offset, offset + size, &buffer});
    plan.offsets[index] = offset;
    plan.arena_size = std::max(plan.arena_size, offset + size);
  }
  return plan;
}

}  // namespace qat
