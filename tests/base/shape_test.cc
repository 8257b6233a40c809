#include "base/shape.h"

#include <gtest/gtest.h>

#include <limits>

namespace qat {
namespace {

TEST(FlatSize, IsTheProduct) {
  EXPECT_EQ(FlatSize({}), 1);
  EXPECT_EQ(FlatSize({1, 28, 28, 3}), 2352);
  EXPECT_EQ(FlatSize({70000, 70000}), 4900000000);
  EXPECT_EQ(FlatSize({5, 0, 5}), 0);
}

TEST(FlatSize, SaturatesInsteadOfWrapping) {
  constexpr int32_t kHuge = std::numeric_limits<int32_t>::max();
  EXPECT_EQ(FlatSize({kHuge, kHuge, kHuge}), std::numeric_limits<int64_t>::max());
  // 2^66: a product that wraps to 0, and would pass as an empty tensor.
  EXPECT_EQ(FlatSize({1 << 22, 1 << 22, 1 << 22}), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(FlatSize({kHuge, kHuge, kHuge, 0}), 0);
}

TEST(ShapeText, IsReadable) {
  EXPECT_EQ(ToString(Shape{1, 28, 28, 1}), "[1, 28, 28, 1]");
  EXPECT_EQ(ToString(Shape{}), "[]");
}

}  // namespace
}  // namespace qat
