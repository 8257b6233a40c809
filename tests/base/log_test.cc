#include "base/log.h"

#include "support/test_util.h"

namespace qat {
namespace {

std::string StderrOf(LogLevel level) {
  InitLog("qat-test", level);
  ::testing::internal::CaptureStderr();
  LogDebug("a");
  LogInfo("b {} %s");
  LogWarning("c");
  LogError("d");
  return ::testing::internal::GetCapturedStderr();
}

TEST(Log, LinesNameTheToolAndOnlyWarningsTheirLevel) {
  EXPECT_EQ(StderrOf(LogLevel::kInfo), "qat-test: b {} %s\nqat-test: warning: c\nqat-test: d\n");
}

TEST(Log, TheLevelIsALowerBound) {
  EXPECT_EQ(StderrOf(LogLevel::kDebug).substr(0, 18), "qat-test: debug: a");
  EXPECT_EQ(StderrOf(LogLevel::kError), "qat-test: d\n");
  EXPECT_EQ(StderrOf(LogLevel::kOff), "");
}

TEST(ParseLogLevel, KnowsFiveNames) {
  EXPECT_EQ(*ParseLogLevel("debug"), LogLevel::kDebug);
  EXPECT_EQ(*ParseLogLevel("off"), LogLevel::kOff);
  QAT_EXPECT_ERROR(
      ParseLogLevel("warn"), ErrorCode::kInvalidArgument,
      "unknown log level 'warn'; did you mean 'warning'? (expected debug, info, warning, error, off)");
}

}  // namespace
}  // namespace qat
