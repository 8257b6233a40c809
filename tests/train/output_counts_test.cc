#include "train/output_counts.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/random.h"
#include "train/fake_quantize.h"

namespace qat {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

at::Tensor Noise(std::vector<int64_t> shape, float low, float high, uint64_t seed) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  Random random(seed);
  for (int64_t i = 0; i < tensor.numel(); ++i)
    tensor.data_ptr<float>()[i] = low + (high - low) * static_cast<float>(random.Between(0, 100000)) / 100000;
  return tensor;
}

Grid GridOf(Range range) {
  const QuantizedLimits limits = {0, 255};
  return {NudgedParams(range, limits), limits};
}

// By what rounding really costs: more than half a step and a little.
int64_t CountByError(const at::Tensor& values, Range bounds, const Grid& grid) {
  const at::Tensor rounded = ClampAndFakeQuantize(values, bounds, grid);
  int64_t count = 0;
  for (int64_t i = 0; i < values.numel(); ++i) {
    const float clamped = std::clamp(values.data_ptr<float>()[i], bounds.min, bounds.max);
    count += std::abs(clamped - rounded.data_ptr<float>()[i]) > grid.params.scale * 0.5001f;
  }
  return count;
}

TEST(CountClipped, CountsWhatRoundingCostsMoreThanHalfAStep) {
  const at::Tensor values = Noise({3, 7, 11, 13}, -3, 5, 1);
  for (const Range range : {Range{-2, 4}, Range{0, 1}, Range{-0.1f, 0.1f}, Range{-3, 5}}) {
    const Grid grid = GridOf(range);
    for (const Range bounds :
         {Range{-kInfinity, kInfinity}, Range{0, kInfinity}, Range{0, 6}, Range{0, 0.5f}}) {
      EXPECT_EQ(CountClipped(values, bounds, grid), CountByError(values, bounds, grid))
          << range.min << " " << bounds.max;
    }
  }
}

// All of a saturated relu6 is 6, which its range [0, 6] ends at, but for the last bit.
TEST(CountClipped, AnActivationThatSaturatesClipsNothing) {
  EXPECT_EQ(CountClipped(at::full({1000}, 100.0f), {0, 6}, GridOf({0, 6})), 0);
  EXPECT_EQ(CountClipped(at::full({1000}, -100.0f), {0, 6}, GridOf({0, 6})), 0);
  EXPECT_EQ(CountClipped(at::full({1000}, 100.0f), {0, kInfinity}, GridOf({0, 6})), 1000);
}

TEST(OutputCounts, SharesAreThoseOfAllBatches) {
  OutputCounts counts;
  const Grid grid = GridOf({0, 1});
  counts.CountClipped("a", at::full({30}, 2.0f), {-kInfinity, kInfinity}, grid);
  counts.CountClipped("a", at::full({90}, 0.5f), {-kInfinity, kInfinity}, grid);
  EXPECT_DOUBLE_EQ(counts.ClippedShare("a"), 0.25);
  EXPECT_TRUE(std::isnan(counts.ClippedShare("b")));
}

TEST(OutputCounts, FindsTheFirstLayerThatAnswersAllExamplesAlike) {
  OutputCounts counts;
  for (uint64_t batch = 0; batch < 2; ++batch) {
    counts.Compare("alive", Noise({5, 3, 4, 4}, 0, 1, batch), 5);
    // Other channels differ, other examples do not.
    const at::Tensor one = Noise({1, 3, 4, 4}, 0, 1, 7);
    counts.Compare("constant", one.expand({5, 3, 4, 4}), 5);
    counts.Compare("behind", at::full({5, 2}, 0.0f), 5);
  }
  EXPECT_EQ(counts.FirstConstant(), "constant");
}

TEST(OutputCounts, ADifferenceInTheLastBatchCounts) {
  OutputCounts counts;
  counts.Compare("late", at::full({4, 2}, 1.0f), 4);
  EXPECT_EQ(counts.FirstConstant(), "late");
  counts.Compare("late", at::full({4, 2}, 2.0f), 4);
  EXPECT_EQ(counts.FirstConstant(), "");
}

TEST(OutputCounts, OneExampleProvesNothing) {
  OutputCounts counts;
  counts.Compare("only", at::full({1, 2}, 1.0f), 1);
  EXPECT_EQ(counts.FirstConstant(), "");
}

}  // namespace
}  // namespace qat
