#include "runtime/planner.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"

namespace qat {
namespace {

bool Overlap(const BufferLifetime& a, size_t a_offset, const BufferLifetime& b, size_t b_offset) {
  const bool in_time = a.first <= b.last && b.first <= a.last;
  const bool in_space = a_offset < b_offset + b.size && b_offset < a_offset + a.size;
  return in_time && in_space;
}

// Largest sum of sizes alive at one step: no plan can do with less.
size_t PeakOf(const std::vector<BufferLifetime>& buffers, int32_t steps) {
  size_t peak = 0;
  for (int32_t step = 0; step < steps; ++step) {
    size_t live = 0;
    for (const BufferLifetime& buffer : buffers) {
      if (buffer.first <= step && step <= buffer.last) live += buffer.size;
    }
    peak = std::max(peak, live);
  }
  return peak;
}

TEST(PlanMemory, NeverOverlapsLiveBuffersAndStaysInsideTheArena) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    std::vector<BufferLifetime> buffers(random.Below(40));
    for (BufferLifetime& buffer : buffers) {
      buffer.size = random.Below(5) == 0 ? 0 : random.Below(5000);
      buffer.first = random.Between(0, 20);
      buffer.last = random.Between(buffer.first, 20);
    }
    const MemoryPlan plan = PlanMemory(buffers);
    ASSERT_EQ(plan.offsets.size(), buffers.size());
    EXPECT_GE(plan.arena_size, PeakOf(buffers, 21));
    for (size_t i = 0; i < buffers.size(); ++i) {
      EXPECT_EQ(plan.offsets[i] % kArenaAlignment, 0u);
      EXPECT_LE(plan.offsets[i] + buffers[i].size, plan.arena_size);
      for (size_t j = 0; j < i; ++j) {
        ASSERT_FALSE(Overlap(buffers[i], plan.offsets[i], buffers[j], plan.offsets[j])) << "seed " << seed;
      }
    }
  }
}

TEST(PlanMemory, ReusesMemoryAlongAChain) {
  std::vector<BufferLifetime> chain;
  for (int32_t i = 0; i < 10; ++i) chain.push_back({1024, i, i + 1});
  EXPECT_EQ(PlanMemory(chain).arena_size, 2048u);
}

// 18,816, 4,704 and 3,136 bytes at one time, as in LeNet: the one that fills no cache line goes last.
TEST(PlanMemory, LosesNothingToAlignmentWhereAnOrderAvoidsIt) {
  const MemoryPlan plan = PlanMemory(std::vector<BufferLifetime>{{3136, 0, 9}, {18816, 0, 1}, {4704, 1, 2}});
  EXPECT_EQ(plan.end, 18816u + 4704 + 3136);
  EXPECT_EQ(plan.arena_size, plan.end + 32);
}

TEST(PlanMemory, GivesBuffersOfOneStepTheirOwnPlaces) {
  const MemoryPlan plan = PlanMemory(std::vector<BufferLifetime>{{64, 0, 0}, {64, 0, 0}, {64, 1, 1}});
  EXPECT_EQ(plan.arena_size, 128u);
}

TEST(PlanMemory, MakesAnEmptyArenaOfNothing) { EXPECT_EQ(PlanMemory({}).arena_size, 0u); }

}  // namespace
}  // namespace qat
