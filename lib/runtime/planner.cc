#include "runtime/planner.h"

#include <algorithm>
#include <functional>
#include <map>
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

MemoryPlan PlaceInOrder(std::span<const BufferLifetime> buffers,
                        const std::function<bool(size_t, size_t)>& before) {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), before);
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
    if (buffer.size > 0) plan.end = std::max(plan.end, offset + buffer.size);
  }
  return plan;
}

}  // namespace

size_t PeakOf(std::span<const BufferLifetime> buffers) {
  std::map<int32_t, int64_t> changes;  // by step
  for (const BufferLifetime& buffer : buffers) {
    changes[buffer.first] += static_cast<int64_t>(Aligned(buffer.size));
    changes[buffer.last + 1] -= static_cast<int64_t>(Aligned(buffer.size));
  }
  int64_t live = 0, peak = 0;
  for (const auto& [step, change] : changes) peak = std::max(peak, live += change);
  return static_cast<size_t>(peak);
}

MemoryPlan PlanMemory(std::span<const BufferLifetime> buffers) {
  const auto size = [&](size_t i) { return buffers[i].size; };
  const auto steps = [&](size_t i) { return int64_t{buffers[i].last} - buffers[i].first; };
  const std::function<bool(size_t, size_t)> orders[] = {
      [&](size_t a, size_t b) { return size(a) > size(b); },
      [&](size_t a, size_t b) { return steps(a) != steps(b) ? steps(a) > steps(b) : size(a) > size(b); },
      [&](size_t a, size_t b) { return buffers[a].first < buffers[b].first; },
      [&](size_t a, size_t b) { return buffers[a].last > buffers[b].last; },
  };
  MemoryPlan best;
  for (const auto& order : orders) {
    MemoryPlan plan = PlaceInOrder(buffers, order);
    if (best.offsets.empty() || plan.end < best.end) best = std::move(plan);
  }
  return best;
}

}  // namespace qat
