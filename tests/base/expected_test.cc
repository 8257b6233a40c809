#include "base/expected.h"

#include <memory>

#include "support/test_util.h"

namespace qat {
namespace {

Expected<int> Half(int value) {
  if (value % 2 != 0) return InvalidArgument("odd");
  return value / 2;
}

Expected<int> Quarter(int value) {
  QAT_ASSIGN_OR_RETURN(const int half, Half(value));
  QAT_ASSIGN_OR_RETURN_IN("second half", const int quarter, Half(half));
  return quarter;
}

Status OnlyEven(int value, int& contexts_made) {
  auto context = [&] {
    ++contexts_made;
    return std::string("input");
  };
  QAT_RETURN_IF_ERROR_IN(context(), Half(value));
  return {};
}

TEST(Expected, HoldsAValueOrAnError) {
  EXPECT_EQ(*Half(6), 3);
  QAT_EXPECT_ERROR(Half(3), ErrorCode::kInvalidArgument, "odd");
}

TEST(Expected, EachLevelAddsOnePhraseInFront) {
  EXPECT_EQ(*Quarter(12), 3);
  EXPECT_EQ(Quarter(5).error().message, "odd");
  EXPECT_EQ(Quarter(6).error().message, "second half: odd");
  EXPECT_EQ(NotFound("c").code, ErrorCode::kNotFound);
  EXPECT_EQ(NotFound("c").Prefixed("b").Prefixed("a").message, "a: b: c");
}

TEST(Expected, ContextIsMadeOnFailureOnly) {
  int contexts_made = 0;
  QAT_ASSERT_OK(OnlyEven(4, contexts_made));
  EXPECT_EQ(contexts_made, 0);
  EXPECT_EQ(OnlyEven(5, contexts_made).error().message, "input: odd");
  EXPECT_EQ(contexts_made, 1);
}

TEST(Expected, CarriesMoveOnlyValues) {
  Expected<std::unique_ptr<int>> made = std::make_unique<int>(7);
  const std::unique_ptr<int> value = *std::move(made);
  EXPECT_EQ(*value, 7);
}

TEST(ExpectedDeathTest, ReadingTheValueOfAFailureStopsTheProgram) {
  const Expected<int> failed = Half(1);
  EXPECT_DEATH((void)failed.value(), "check failed: ok\\(\\)");
  const Status fine;
  EXPECT_DEATH((void)fine.error(), "check failed: !ok\\(\\)");
}

}  // namespace
}  // namespace qat
