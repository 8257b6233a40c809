// Logistic and tanh in fixed point against their formulas; TFLite Micro itself judges the bits (tests/micro).
#include <gtest/gtest.h>

#include <cmath>

#include "runtime/kernels/reference/softmax.h"

namespace qat {
namespace {

constexpr double kOne = 2147483648.0;  // 2^31

TEST(FixedSigmoid, IsNearTheFormulaEverywhere) {
  for (double x = -15.9; x < 15.9; x += 0.0137) {
    const auto fixed = static_cast<int32_t>(std::lround(x * (1 << 27)));
    EXPECT_NEAR(reference::FixedLogistic(fixed) / kOne, 1 / (1 + std::exp(-x)), 2e-7) << x;
    EXPECT_NEAR(reference::FixedTanh(fixed) / kOne, std::tanh(x), 4e-7) << x;
  }
}

TEST(FixedSigmoid, IsOddAroundTheMiddle) {
  EXPECT_EQ(reference::FixedLogistic(0), 1 << 30);
  EXPECT_EQ(reference::FixedTanh(0), 0);
  for (int32_t x = 1; x > 0 && x < (1 << 30); x *= 3) {
    EXPECT_EQ(reference::FixedTanh(-x), -reference::FixedTanh(x));
    EXPECT_EQ(reference::FixedLogistic(-x), 2147483647 - reference::FixedLogistic(x));
  }
}

}  // namespace
}  // namespace qat
