#include "predict/predictor.h"

#include <gtest/gtest.h>

#include <vector>

namespace qat {
namespace {

TEST(ArgMaxOf, TakesTheFirstOfEqualScores) {
  EXPECT_EQ(ArgMaxOf(std::vector<float>{0.1f, 0.7f, 0.7f, 0.2f}), 1);
  EXPECT_EQ(ArgMaxOf(std::vector<float>{0, 0, 0}), 0);
}

TEST(ArgMaxOf, FindsTheLargestAmongNegativeScores) { EXPECT_EQ(ArgMaxOf(std::vector<float>{-3, -1, -2}), 1); }

}  // namespace
}  // namespace qat
