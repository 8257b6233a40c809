// log.h: messages for people, on standard error, through spdlog (which no other header includes).
#ifndef QAT_BASE_LOG_H_
#define QAT_BASE_LOG_H_

#include <functional>
#include <string>
#include <string_view>

#include "base/expected.h"

namespace qat {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

/// Lines read "tool: message" (information and errors), "tool: warning: message" or "tool: debug: message".
/// Set once, by main, before any thread starts.
void InitLog(std::string_view tool, LogLevel level);

/// What every message passes before it is written; a program names its flags here (lib/cli/messages.h).
/// Empty: nothing.
void SetLogText(std::function<std::string(std::string_view)> text);

/// "debug", "info", "warning", "error", "off". Errors: kInvalidArgument.
Expected<LogLevel> ParseLogLevel(std::string_view name);

void LogDebug(std::string_view message);
void LogInfo(std::string_view message);
void LogWarning(std::string_view message);  ///< each message once
void LogError(std::string_view message);

}  // namespace qat

#endif  // QAT_BASE_LOG_H_
