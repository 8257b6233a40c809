#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/printable.h"
#include "base/screen.h"
#include "base/strings.h"

namespace qat {
namespace {

spdlog::logger& Logger() {
  static const auto logger = [] {
    auto made = std::make_shared<spdlog::logger>("qat", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

std::string& ToolName() {
  static std::string name = "qat";
  return name;
}

std::function<std::string(std::string_view)>& LogText() {
  static std::function<std::string(std::string_view)> text;
  return text;
}

// Two files of one data set give the same reason to warn; once is enough.
std::set<std::string>& Warned() {
  static std::set<std::string> warned;
  return warned;
}

void Write(spdlog::level::level_enum level, std::string_view mark, std::string_view message) {
  if (!Logger().should_log(level)) return;
  const std::string text = LogText() ? LogText()(message) : std::string(message);
  const ScreenTurn turn;
  Logger().log(level, "{}", StrCat(ToolName(), ": ", mark, PrintableMessage(text)));
}

}  // namespace

void InitLog(std::string_view tool, LogLevel level) {
  ToolName() = tool;
  Warned().clear();
  constexpr std::array kLevels = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                  spdlog::level::err, spdlog::level::off};
  Logger().set_level(kLevels[static_cast<size_t>(level)]);
}

void SetLogText(std::function<std::string(std::string_view)> text) { LogText() = std::move(text); }

Expected<LogLevel> ParseLogLevel(std::string_view name) {
  static const std::vector<std::string> kNames = {"debug", "info", "warning", "error", "off"};
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<LogLevel>(i);
  }
  return InvalidArgument(StrCat(UnknownName("log level", name, kNames), " (expected ", Join(kNames), ")"));
}

void LogDebug(std::string_view message) { Write(spdlog::level::debug, "debug: ", message); }
void LogInfo(std::string_view message) { Write(spdlog::level::info, "", message); }
void LogWarning(std::string_view message) {
  static std::mutex mutex;
  {
    const std::lock_guard lock(mutex);
    if (!Warned().insert(std::string(message)).second) return;
  }
  Write(spdlog::level::warn, "warning: ", message);
}
void LogError(std::string_view message) { Write(spdlog::level::err, "", message); }

}  // namespace qat
