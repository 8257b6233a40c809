#include "cli/tool.h"

#include <errno.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "base/screen.h"
#include "base/strings.h"
#include "base/version.h"
#include "cli/arguments.h"
#include "cli/help.h"
#include "cli/manual.h"
#include "cli/messages.h"
#include "cli/output_name.h"
#include "cli/process.h"

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
  const std::string extra = extras.empty() ? "" : extras.front();
  // Where data are a flag, many name them without it.
  const bool takes_data = app.get_option_no_throw("--data") != nullptr && !extra.starts_with("-");
  return StrCat("unexpected argument '", extra, "'",
                takes_data ? StrCat("; data are named by --data ", extra) : "", " (--help shows the usage)");
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
  Program program;
  CommonFlags flags;
  const Command* running = nullptr;
  std::function<void(FileUse&)> declare_files;
  bool stdout_taken = false;
  int stdout_errno = 0;
  std::string document;  // for --json, instead of the report

  Impl(std::string name, std::string description, std::string examples)
      : program{std::move(name), std::move(description), std::move(examples), {}} {}

  const Command& Running() const { return running != nullptr ? *running : program.commands.front(); }
  Command& Add(Command command);
  void AddCommonFlags(Command& command);
  Status Parse(std::vector<std::string> words, std::string& print);
  Status ParseFlags(const CommandLine& line, std::string& print);
  Status Configure(std::vector<std::string>& canonical);
  Status Check();
  std::string Help(const CommandLine& line, bool all) const;
  Status OpenJson(std::optional<OutputFile>& json);
  Status CheckFiles();
  void SpareInputs(std::span<const std::string> words);
  int Main(std::vector<std::string> words, const std::function<Status(Report&)>& run);
  void Write(std::string_view text);
  Status FlushStdout();
  int Finish(Status status, Report& report, std::optional<OutputFile>& json);
};

Command& Tool::Impl::Add(Command command) {
  command.app =
      std::make_shared<CLI::App>(command.description, command.name.empty() ? program.name : command.name);
  command.without_effect = {"--threads", "--seed"};
  program.commands.push_back(std::move(command));
  AddCommonFlags(program.commands.back());
  return program.commands.back();
}

void Tool::Impl::AddCommonFlags(Command& command) {
  CLI::App& app = *command.app;
  app.option_defaults()->group("Common")->always_capture_default();
  const auto add = [&app](const char* flag, auto& value, const char* type, const char* text) {
    app.add_option(flag, value, text)->type_name(type);
  };
  add("--json", flags.json, "FILE", "write a JSON report; '-': to standard output, instead of the table");
  add("--config", flags.config, "FILE", "read flags from this TOML file; the command line wins");
  app.add_flag("--print-config", flags.print_config, "print the values of all flags as such a file and stop");
  add("--progress", flags.progress, "STYLE", "on standard error: auto, bar, plain, ndjson or none");
  add("--log-level", flags.log_level, "LEVEL",
      "least important message shown: debug, info, warning, error or off");
  add("--help-as", flags.help_as, "FORMAT",
      "print the flags as man, markdown, or completion for bash, zsh or fish, and stop");
  app.set_help_flag("-h", "show the usual flags and stop");
  app.set_help_all_flag("--help", "show all flags and stop");
  app.set_version_flag("--version", Version(), "show the version and stop");
  app.option_defaults()->group("Flags");
  command.choices = {{"--progress", {"auto", "bar", "plain", "ndjson", "none"}},
                     {"--log-level", {"debug", "info", "warning", "error", "off"}},
                     {"--help-as", {"man", "markdown", "bash", "zsh", "fish"}}};
}

Status Tool::Impl::Configure(std::vector<std::string>& canonical) {
  const std::string path(ValueIn(canonical, "--config"));
  if (path.empty() || Running().own_config) return {};
  QAT_ASSIGN_OR_RETURN(std::vector<std::string> configured,
                       ConfigArguments(program, Running(), path, canonical));
  configured.insert(configured.end(), canonical.begin(), canonical.end());
  canonical = std::move(configured);
  return {};
}

Status Tool::Impl::Check() {
  QAT_ASSIGN_OR_RETURN(const LogLevel level, ParseLogLevel(flags.log_level));
  InitLog(program.name, level);
  QAT_RETURN_IF_ERROR_IN("--progress", Progress::ParseStyle(flags.progress));
  if (flags.threads < 0)
    return InvalidArgument(StrCat("--threads: value ", flags.threads, ", expected 0 or more"));
  static constexpr std::array<std::string_view, 1> kJson = {".json"};
  if (Status named = CheckOutputName({"--json", "JSON", kJson}, flags.json); !named.ok()) {
    flags.json.clear();  // this error is in no report
    return named;
  }
  const CLI::Option* output = FindOption(Running(), "--output");
  const bool output_is_stdout = output != nullptr && output->count() > 0 && output->results().back() == "-";
  if (output_is_stdout && flags.json == "-") {
    return InvalidArgument("--output - and --json -: standard output can carry only one of them");
  }
  stdout_taken = output_is_stdout || flags.json == "-";
  return {};
}

std::string Tool::Impl::Help(const CommandLine& line, bool all) const {
  if (program.HasCommands() && !line.named) return all ? FullHelp(program) : ShortHelp(program);
  return all ? FullHelp(program, *line.command) : ShortHelp(program, *line.command);
}

// What is to be printed instead of a run goes to `print`.
Status Tool::Impl::ParseFlags(const CommandLine& line, std::string& print) {
  CLI::App& app = *running->app;
  for (CLI::Option* option : app.get_options()) {
    if (!TakesSeveral(*option)) option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  std::vector<std::string> ignored;
  QAT_ASSIGN_OR_RETURN(std::vector<std::string> canonical,
                       CanonicalArguments(program, *running, line.words, ignored));
  QAT_RETURN_IF_ERROR(Configure(canonical));
  try {
    app.parse(std::vector<std::string>(canonical.rbegin(), canonical.rend()));
  } catch (const CLI::CallForHelp&) {
    print = Help(line, false);
    return {};
  } catch (const CLI::CallForAllHelp&) {
    print = Help(line, true);
    return {};
  } catch (const CLI::CallForVersion&) {
    print = StrCat(program.name, " ", Version(), "\n");
    return {};
  } catch (const CLI::ConversionError& error) {
    return InvalidArgument(ConversionMessage(app, error.what()));
  } catch (const CLI::ExtrasError&) {
    return InvalidArgument(ExtrasMessage(app));
  } catch (const CLI::Error& error) {
    return InvalidArgument(error.what());
  }
  QAT_RETURN_IF_ERROR(Check());
  for (const std::string& flag : ignored)
    LogWarning(StrCat(flag, " has no effect on ", TitleOf(program, *running)));
  return {};
}

Status Tool::Impl::Parse(std::vector<std::string> words, std::string& print) {
  // Known before the rest is judged, so that the report tells of a wrong flag, too.
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i].starts_with("--json=")) flags.json = words[i].substr(7);
    if (words[i] == "--json" && i + 1 < words.size()) flags.json = words[i + 1];
  }
  QAT_ASSIGN_OR_RETURN(const CommandLine line, SplitCommand(program, words));
  running = line.command;
  QAT_RETURN_IF_ERROR(ParseFlags(line, print));
  if (!print.empty()) return {};
  if (!line.now_spelled.empty()) LogInfo(StrCat("hint: this is now spelled: ", line.now_spelled));
  if (!flags.help_as.empty()) {
    QAT_ASSIGN_OR_RETURN_IN("--help-as", print, HelpAs(program, flags.help_as));
  } else if (flags.print_config && !running->own_config) {
    print = ConfigText(*running);
  }
  return {};
}

Status Tool::Impl::OpenJson(std::optional<OutputFile>& json) {
  if (flags.json.empty() || flags.json == "-") return {};
  QAT_ASSIGN_OR_RETURN_IN("--json", json, OutputFile::Open(flags.json));
  return {};
}

// Before anything is opened. A report that would take the place of an input is not written.
Status Tool::Impl::CheckFiles() {
  FileUse use;
  use.Write("--json", flags.json);
  use.Read("--config", flags.config);
  if (declare_files) declare_files(use);
  std::string conflict;
  Status status = use.Check(&conflict);
  if (conflict == "--json") flags.json.clear();
  return status;
}

// A command line that was not understood may name the report's file as an input, too.
void Tool::Impl::SpareInputs(std::span<const std::string> words) {
  for (size_t i = 0; i < words.size(); ++i) {
    const bool is_report = words[i] == "--json=" + flags.json || (i > 0 && words[i - 1] == "--json");
    if (is_report || flags.json.empty()) continue;
    const std::string value = words[i].starts_with("-") ? words[i].substr(words[i].find('=') + 1) : words[i];
    if (IsSameFile(value, flags.json)) flags.json.clear();
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
  if (!status.ok()) {
    report.status = "error";
    report.error = status.error().message;
    report.exit_code = ExitCodeOf(status.error());
  } else {
    report.exit_code = report.status == "gate-failed" ? kExitGateFailed : kExitOk;
  }
  qat::NameFlags(program, Running(), report);
  if (!status.ok()) LogError(report.error);
  const std::string carried = status.ok() && !document.empty() ? document : ToJson(report);
  Status written;
  if (flags.json == "-") {
    Write(carried);
    written = FlushStdout();
  } else if (json.has_value()) {
    written = json->Commit(carried);
  }
  if (!written.ok()) LogError(written.error().message);
  // A run that failed keeps its own code; a good run without its report has failed.
  return !written.ok() && status.ok() ? ExitCodeOf(written.error()) : report.exit_code;
}

Tool::Tool(std::string name, std::string description, std::string examples)
    : impl_(new Impl(std::move(name), std::move(description), std::move(examples))) {}
Tool::~Tool() { SetLogText({}); }

Command& Tool::AddCommand(std::string name, std::string description, std::string examples,
                          std::function<Status(Report&)> run) {
  Command command;
  command.name = std::move(name);
  command.description = std::move(description);
  command.examples = std::move(examples);
  command.run = std::move(run);
  return impl_->Add(std::move(command));
}

void Tool::SetOldSpellings(std::vector<OldSpelling> old) { impl_->program.old_spellings = std::move(old); }

Command& Tool::command() {
  Program& program = impl_->program;
  if (program.commands.empty()) AddCommand("", program.description, program.examples, {});
  return program.commands.front();
}

CLI::App& Tool::app() { return *command().app; }
void Tool::SetUsual(std::vector<std::string> names) { command().usual = std::move(names); }
CommonFlags& Tool::flags() { return impl_->flags; }
void Tool::OwnConfig() { command().own_config = true; }
void Tool::DeclareFiles(std::function<void(FileUse&)> declare) { impl_->declare_files = std::move(declare); }

void Tool::AddThreads(Command& command, const char* group, const char* text) {
  command.app->add_option("--threads", impl_->flags.threads, text)->type_name("N")->group(group);
}

void Tool::AddSeed(Command& command, const char* group, const char* text) {
  command.app->add_option("--seed", impl_->flags.seed, text)
      ->type_name("N")
      ->group(group)
      ->check([](const std::string& value) {
        return value.starts_with('-') ? StrCat("value '", value, "', expected 0 or a greater integer")
                                      : std::string();
      });
}

bool Tool::Given(const std::string& flag) const {
  const CLI::Option* option = FindOption(impl_->Running(), flag);
  return option != nullptr && option->count() > 0;
}

bool Tool::Runs(std::string_view command) const { return impl_->Running().name == command; }

void Tool::Print(std::string_view text) {
  if (!impl_->stdout_taken) impl_->Write(text);
}

void Tool::SetJson(std::string document) { impl_->document = std::move(document); }

void Tool::NameFlags(Report& report) const { qat::NameFlags(impl_->program, impl_->Running(), report); }

std::string Tool::NameFlags(std::string_view text) const {
  return qat::NameFlags(impl_->program, impl_->Running(), text);
}

int Tool::Main(int argc, const char* const* argv) {
  return Main(argc, argv, [this](Report& report) { return impl_->Running().run(report); });
}

int Tool::Impl::Main(std::vector<std::string> words, const std::function<Status(Report&)>& run) {
  Report report;
  std::optional<OutputFile> json;
  std::string print;
  report.tool = program.name;
  report.version = Version();
  report.command = CommandText(program.name, words);
  Status status = Parse(words, print);
  if (!print.empty()) {
    Write(print);
    flags.json.clear();
    return Finish({}, report, json);
  }
  if (!status.ok()) {
    SpareInputs(words);
  } else {
    status = CheckFiles();
  }
  if (Status opened = OpenJson(json); status.ok()) status = std::move(opened);
  if (status.ok()) status = Guarded([&] { return run(report); });
  return Finish(std::move(status), report, json);
}

int Tool::Main(int argc, const char* const* argv, const std::function<Status(Report&)>& run) {
  OpenStandardStreams();
  EndOnUncaughtExceptions(impl_->program.name);
  ::signal(SIGPIPE, SIG_IGN);  // a reader that went away shows as EPIPE
  ::signal(SIGXFSZ, SIG_IGN);  // a limit on the size of files (ulimit -f) as EFBIG
  InitLog(impl_->program.name, LogLevel::kInfo);
  SetLogText([this](std::string_view text) {
    return WithoutDoubledPhrases(qat::NameFlags(impl_->program, impl_->Running(), text));
  });
  command();
  int code = kExitInternal;
  const Status ended = Guarded([&]() -> Status {
    code = impl_->Main({argv + std::min(argc, 1), argv + argc}, run);
    return {};
  });
  if (!ended.ok()) {
    LogError(ended.error().message);
    code = ExitCodeOf(ended.error());
  }
  if (code == kExitSystem) EndAtOnce(code);
  return code;
}

}  // namespace qat
