#include "base/join_some.h"

#include <gtest/gtest.h>

#include <vector>

namespace qat {
namespace {

TEST(JoinSome, SaysHowManyItLeavesOut) {
  const std::vector<std::string> pieces = {"a", "b", "c", "d"};
  EXPECT_EQ(JoinSome(pieces, 4), "a, b, c, d");
  EXPECT_EQ(JoinSome(pieces, 3), "a, b, c and 1 more");
  EXPECT_EQ(JoinSome({}, 3), "");
}

}  // namespace
}  // namespace qat
