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

TEST(Log, AWarningIsWrittenOnce) {
  InitLog("qat-test", LogLevel::kInfo);
  ::testing::internal::CaptureStderr();
  for (const char* text : {"a", "b", "a", "a"}) LogWarning(text);
  LogInfo("c");
  LogInfo("c");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "qat-test: warning: a\nqat-test: warning: b\nqat-test: c\nqat-test: c\n");
}

TEST(Log, MessagesPassTheTextThatIsSet) {
  InitLog("qat-test", LogLevel::kInfo);
  SetLogText([](std::string_view text) { return "<" + std::string(text) + ">"; });
  ::testing::internal::CaptureStderr();
  LogWarning("a");
  LogError("b");
  SetLogText({});
  LogError("c");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "qat-test: warning: <a>\nqat-test: <b>\nqat-test: c\n");
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
