#include "base/matching_names.h"

#include <gtest/gtest.h>

#include "support/test_util.h"

namespace qat {
namespace {

using Strings = std::vector<std::string>;

TEST(MatchingNames, FromBeginningToEnd) {
  const Strings names = {"conv1", "conv2", "fc", "conv1/pad"};
  EXPECT_EQ(*MatchingNames("conv[0-9]", names), (Strings{"conv1", "conv2"}));
  EXPECT_EQ(*MatchingNames("fc|conv1", names), (Strings{"conv1", "fc"}));
  QAT_EXPECT_ERROR(
      MatchingNames("conv", names), ErrorCode::kInvalidArgument,
      "no layer has a name that 'conv' describes from its beginning to its end, expected one of: "
      "conv1, conv2, fc, conv1/pad");
  QAT_EXPECT_ERROR(MatchingNames("(", names), ErrorCode::kInvalidArgument,
                   "value '(' is no regular expression");
}

}  // namespace
}  // namespace qat
