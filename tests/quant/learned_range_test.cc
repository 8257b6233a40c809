#include "quant/learned_range.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"

namespace qat {
namespace {

constexpr QuantizedLimits kInt4Narrow = {-7, 7};

TEST(DeployedEnd, IsTheLearnedOneWhereItClips) {
  EXPECT_EQ(DeployedEnd(0.5f, 2), 0.5f);
  EXPECT_EQ(DeployedEnd(3, 2), 2) << "no value reaches it";
  EXPECT_EQ(DeployedEnd(0, 2), 2) << "none is learned yet";
  EXPECT_EQ(DeployedEnd(0.5f, 0), 0);
}

TEST(RoundChannels, TakesEachChannelToItsOwnGrid) {
  // Blocks of two values, three channels in turn; the last has no end yet, and the second reaches no farther
  // than 1.75.
  std::vector<float> filter = {9, -9, 1.75f, -1.7f, 9, -9, 2.4f, 1.6f, 0.3f, -0.1f, 8, 7};
  RoundChannels(filter, 2, std::vector<float>{7, 5, 0}, kInt4FiltersPerAxis);
  const std::vector<float> expected = {7, -7, 1.75f, -1.75f, 9, -9, 2, 2, 0.25f, 0, 8, 7};
  for (size_t i = 0; i < filter.size(); ++i) EXPECT_NEAR(filter[i], expected[i], 1e-6) << i;
}

double ErrorAt(const std::vector<float>& values, double end) {
  const double step = end / 7;
  double sum = 0;
  for (const float value : values) {
    const double steps = std::clamp(std::floor(value / step + 0.5), -7.0, 7.0);
    sum += (steps * step - value) * (steps * step - value);
  }
  return sum;
}

TEST(LeastSquaresEnd, IsAsGoodAsAFinerSearch) {
  Random random(3);
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<float> values;
    float largest = 0;
    for (int i = 0; i < 200; ++i) {
      // The sum of a few is nearly normal; every trial has one value farther out than the trial before.
      float value = 0;
      for (int k = 0; k < 6; ++k) value += static_cast<float>(random.Between(-1000, 1000)) / 1000;
      values.push_back(value);
    }
    values[0] = 4 + 0.4f * static_cast<float>(trial);
    for (const float value : values) largest = std::max(largest, std::abs(value));
    double least = ErrorAt(values, largest);
    for (double end = 0.05 * largest; end < largest; end += 0.001 * largest)
      least = std::min(least, ErrorAt(values, end));
    const float found = LeastSquaresEnd(values, kInt4Narrow);
    EXPECT_LE(ErrorAt(values, found), 1.03 * least)
        << "trial " << trial << ", end " << found << " of " << largest;
    EXPECT_LE(found, largest);
  }
}

TEST(LeastSquaresEnd, HoldsEveryValueOfAGridAndIsZeroWhereAllAre) {
  EXPECT_EQ(LeastSquaresEnd(std::vector<float>{-7, 3, 0, 5, 6}, kInt4Narrow), 7);
  EXPECT_EQ(LeastSquaresEnd(std::vector<float>{0, 0, 0}, kInt4Narrow), 0);
}

}  // namespace
}  // namespace qat
