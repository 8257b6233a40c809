#include "predict/predictor.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace qat {
namespace {

TEST(ArgMaxOf, TakesTheFirstOfEqualLargestScores) {
  EXPECT_EQ(ArgMaxOf(std::vector<float>{0.5f, 2, 1, 2}), 1);
  EXPECT_EQ(ArgMaxOf(std::vector<float>{-3, -3}), 0);
}

TEST(ArgMaxOf, FindsTheLastScoreAndInfinity) {
  EXPECT_EQ(ArgMaxOf(std::vector<float>{-5, -4, -3}), 2);
  EXPECT_EQ(ArgMaxOf(std::vector<float>{1, std::numeric_limits<float>::infinity(), 3}), 1);
}

TEST(ArgMaxOf, TakesZeroOfOne) { EXPECT_EQ(ArgMaxOf(std::vector<float>{-1}), 0); }

}  // namespace
}  // namespace qat
