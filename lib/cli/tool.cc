#include "cli/tool.h"

#include <errno.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstring>
#include <optional>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "base/screen.h"
#include "base/strings.h"
#include "base/version.h"
#include "cli/arguments.h"

namespace qat {
namespace {

// CLI11's sentence for a value that is none, in our words.
std::string ConversionMessage(const CLI::App& app, std::string text) {
  constexpr std::string_view kPrefix = "Could not convert: ";
  const size_t middle = text.find(" = ");
  if (!text.starts_with(kPrefix) || middle == std::string::npos) return text;
  const std::string name = text.substr(kPrefix.size(), middle - kPrefix.size());
  const CLI::Option* option = app.get_option_no_throw(name);
  const std::string type = option == nullptr ? "" : option->get_type_name();
  const bool whole = type == "N" || type == "STEPS" || type == "INT" || type == "UINT";
  return StrCat(name, ": value '", text.substr(middle + 3), "', expected ",
                whole                            ? "a whole number in range"
                : type == "X" || type == "FLOAT" ? "a number"
                                                 : type);
}

std::string ExtrasMessage(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining();
  return StrCat("unexpected argument '", extras.empty() ? "" : extras.front(), "' (--help shows the usage)");
}

}  // namespace

int ExitCodeOf(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
      return kExitUsage;
    case ErrorCode::kNotFound:
    case ErrorCode::kCorrupt:
      return kExitInput;
    case ErrorCode::kUnsupported:
      return kExitUnsupported;
    case ErrorCode::kNumerical:
      return kExitNumerical;
    case ErrorCode::kIoError:
    case ErrorCode::kSystem:
      return kExitSystem;
    case ErrorCode::kInterrupted:
      return 128 + (InterruptSignal() != 0 ? InterruptSignal() : SIGINT);
    case ErrorCode::kInternal:
      return kExitInternal;
  }
  return kExitInternal;
}

Progress::Style CommonFlags::ProgressStyle() const {
  auto style = Progress::ParseStyle(progress);
  return style.ok() ? *style : Progress::Style::kAuto;
}

struct Tool::Impl {
  CLI::App app;
  std::string name;
  std::string examples;
  CommonFlags flags;
  bool own_config = false;
  bool stdout_taken = false;
  int stdout_errno = 0;

  Impl(std::string tool_name, std::string description, std::string tool_examples)
      : app(std::move(description), tool_name),
        name(std::move(tool_name)),
        examples(std::move(tool_examples)) {}

  void AddCommonFlags();
  Status Parse(std::vector<std::string> arguments, bool& help, bool& version);
  Status Configure(std::vector<std::string>& canonical);
  Status Check();
  Status OpenJson(std::optional<OutputFile>& json);
  Status Run(const std::function<Status(Report&)>& run, Report& report);
  void Write(std::string_view text);
  Status FlushStdout();
  int Finish(Status status, Report& report, std::optional<OutputFile>& json);
};

void Tool::Impl::AddCommonFlags() {
  app.option_defaults()->group("Common")->always_capture_default();
  const auto add = [this](const char* flag, auto& value, const char* type, const char* text) {
    app.add_option(flag, value, text)->type_name(type);
  };
  add("--threads", flags.threads, "N", "worker threads of qat-train (default 0: all cores)");
  add("--seed", flags.seed, "N", "of everything random (default 1)");
  add("--json", flags.json, "FILE", "write a JSON report; '-': on standard output, with no table");
  add("--config", flags.config, "FILE", "TOML with values of flags; the command line wins");
  app.add_flag("--print-config", flags.print_config, "print all values as such a file and stop");
  add("--progress", flags.progress, "STYLE",
      "auto, bar, plain, ndjson or none, on standard error (default auto)");
  add("--log-level", flags.log_level, "LEVEL", "debug, info, warning, error or off (default info)");
  app.set_help_flag("-h,--help", "show this and stop");
  app.set_version_flag("--version", Version(), "show the version and stop");
  app.option_defaults()->group("Flags");
}

Status Tool::Impl::Configure(std::vector<std::string>& canonical) {
  const std::string path(ValueIn(canonical, "--config"));
  if (path.empty() || own_config) return {};
  QAT_ASSIGN_OR_RETURN(std::vector<std::string> configured, ConfigArguments(app, path, canonical));
  configured.insert(configured.end(), canonical.begin(), canonical.end());
  canonical = std::move(configured);
  return {};
}

Status Tool::Impl::Check() {
  QAT_ASSIGN_OR_RETURN(const LogLevel level, ParseLogLevel(flags.log_level));
  InitLog(name, level);
  QAT_RETURN_IF_ERROR_IN("--progress", Progress::ParseStyle(flags.progress));
  if (flags.threads < 0)
    return InvalidArgument(StrCat("--threads: value ", flags.threads, ", expected 0 or more"));
  const CLI::Option* output = app.get_option_no_throw("--output");
  const bool output_is_stdout = output != nullptr && output->count() > 0 && output->results().back() == "-";
  if (output_is_stdout && flags.json == "-") {
    return InvalidArgument("--output - and --json -: standard output can carry only one of them");
  }
  stdout_taken = output_is_stdout || flags.json == "-";
  return {};
}

Status Tool::Impl::Parse(std::vector<std::string> arguments, bool& help, bool& version) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_items_expected_max() <= 1) option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  // Known before the rest is judged, so that the report tells of a wrong flag, too.
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].starts_with("--json=")) flags.json = arguments[i].substr(7);
    if (arguments[i] == "--json" && i + 1 < arguments.size()) flags.json = arguments[i + 1];
  }
  QAT_ASSIGN_OR_RETURN(std::vector<std::string> canonical, CanonicalArguments(app, arguments));
  QAT_RETURN_IF_ERROR(Configure(canonical));
  try {
    app.parse(std::vector<std::string>(canonical.rbegin(), canonical.rend()));
  } catch (const CLI::CallForHelp&) {
    help = true;
    return {};
  } catch (const CLI::CallForVersion&) {
    version = true;
    return {};
  } catch (const CLI::ConversionError& error) {
    return InvalidArgument(ConversionMessage(app, error.what()));
  } catch (const CLI::ExtrasError&) {
    return InvalidArgument(ExtrasMessage(app));
  } catch (const CLI::Error& error) {
    return InvalidArgument(error.what());
  }
  return Check();
}

Status Tool::Impl::OpenJson(std::optional<OutputFile>& json) {
  if (flags.json.empty() || flags.json == "-") return {};
  QAT_ASSIGN_OR_RETURN_IN("--json", json, OutputFile::Open(flags.json));
  return {};
}

Status Tool::Impl::Run(const std::function<Status(Report&)>& run, Report& report) {
  try {
    return run(report);
  } catch (const std::bad_alloc&) {
    return SystemError("out of memory");
  } catch (const std::exception& error) {
    return Internal(StrCat("unexpected failure (", error.what(), ")"));
  }
}

void Tool::Impl::Write(std::string_view text) {
  if (stdout_errno != 0) return;
  const ScreenTurn turn;
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
    stdout_errno = errno != 0 ? errno : EIO;
}

Status Tool::Impl::FlushStdout() {
  errno = 0;
  if (stdout_errno == 0 && (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)) {
    stdout_errno = errno != 0 ? errno : EIO;
  }
  if (stdout_errno == 0 || stdout_errno == EPIPE) return {};
  return IoError(StrCat("standard output: cannot be written (", std::strerror(stdout_errno), ")"));
}

// Every way out ends here: the error as one sentence, the report, the exit code.
int Tool::Impl::Finish(Status status, Report& report, std::optional<OutputFile>& json) {
  if (status.ok()) status = FlushStdout();
  if (!status.ok()) LogError(status.error().message);
  report.tool = name;
  report.version = Version();
  if (!status.ok()) {
    report.status = "error";
    report.error = status.error().message;
    report.exit_code = ExitCodeOf(status.error());
  } else {
    report.exit_code = report.status == "gate-failed" ? kExitGateFailed : kExitOk;
  }
  Status written;
  if (flags.json == "-") {
    Write(ToJson(report));
    written = FlushStdout();
  } else if (json.has_value()) {
    written = json->Commit(ToJson(report));
  }
  if (!written.ok()) LogError(written.error().message);
  // A run that failed keeps its own code; a good run without its report has failed.
  return !written.ok() && status.ok() ? ExitCodeOf(written.error()) : report.exit_code;
}

Tool::Tool(std::string name, std::string description, std::string examples)
    : impl_(new Impl(std::move(name), std::move(description), std::move(examples))) {
  impl_->AddCommonFlags();
}
Tool::~Tool() = default;

CLI::App& Tool::app() { return impl_->app; }
CommonFlags& Tool::flags() { return impl_->flags; }
void Tool::OwnConfig() { impl_->own_config = true; }

bool Tool::Given(const std::string& flag) const {
  const CLI::Option* option = impl_->app.get_option_no_throw(flag);
  QAT_CHECK(option != nullptr);
  return option->count() > 0;
}

void Tool::Print(std::string_view text) {
  if (!impl_->stdout_taken) impl_->Write(text);
}

namespace {

// As a shell would take it again: what is no plain word stands in single quotes.
std::string ShellWord(const std::string& word) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:=,@%+";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string CommandText(const std::string& name, const std::vector<std::string>& words) {
  std::string text = name;
  for (const std::string& word : words) text += StrCat(" ", ShellWord(word));
  return text;
}

}  // namespace

int Tool::Main(int argc, const char* const* argv, const std::function<Status(Report&)>& run) {
  ::signal(SIGPIPE, SIG_IGN);  // a reader that went away shows as EPIPE
  InitLog(impl_->name, LogLevel::kInfo);
  Report report;
  std::optional<OutputFile> json;
  bool help = false, version = false;
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  report.command = CommandText(impl_->name, words);
  Status status = impl_->Parse(words, help, version);
  if (help || version) {
    impl_->Write(help ? HelpText(impl_->app, impl_->examples) : StrCat(impl_->name, " ", Version(), "\n"));
    impl_->flags.json.clear();
    return impl_->Finish({}, report, json);
  }
  if (status.ok() && impl_->flags.print_config && !impl_->own_config) {
    impl_->Write(ConfigText(impl_->app));
    impl_->flags.json.clear();
    return impl_->Finish({}, report, json);
  }
  if (Status opened = impl_->OpenJson(json); status.ok()) status = std::move(opened);
  if (status.ok()) status = impl_->Run(run, report);
  return impl_->Finish(std::move(status), report, json);
}

}  // namespace qat
