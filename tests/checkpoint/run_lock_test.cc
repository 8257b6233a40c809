#include "checkpoint/run_lock.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "support/test_util.h"

namespace qat {
namespace {

TEST(RunLock, IsHeldByOneProcessAtATimeAndLeavesNothingBehind) {
  testing::TempDir run;
  {
    const auto first = RunLock::Take(run.path());
    QAT_ASSERT_OK(first);
    QAT_EXPECT_ERROR(RunLock::Take(run.path()), ErrorCode::kInvalidArgument,
                     run.path() + ": is being written by another process");
  }
  QAT_ASSERT_OK(RunLock::Take(run.path()));
  EXPECT_TRUE(std::filesystem::is_empty(run.path()));
}

TEST(RunLock, NeedsTheDirectory) {
  testing::TempDir run;
  QAT_EXPECT_ERROR(RunLock::Take(run / "none"), ErrorCode::kSystem, "none: cannot be opened");
}

}  // namespace
}  // namespace qat
