// tool.h: what the four programs have in common: flags, exit codes, errors as one sentence, the JSON report.
#ifndef QAT_CLI_TOOL_H_
#define QAT_CLI_TOOL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/expected.h"
#include "base/file_use.h"
#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "report/report.h"

namespace qat {

/// Exit codes, the same everywhere (docs/cli.md). An interrupted program ends with 128 +
/// signal.
enum ExitCode {
  kExitOk = 0,
  kExitGateFailed = 1,
  kExitUsage = 2,
  kExitInput = 3,
  kExitUnsupported = 4,
  kExitNumerical = 5,
  kExitSystem = 6,
  kExitInternal = 70,
};
int ExitCodeOf(const Error& error);

/// Flags of all tools, as given.
struct CommonFlags {
  std::string config;  ///< TOML of flag values; where OwnConfig() was called, the command reads it itself
  bool print_config = false;
  std::string json;  ///< path, "-" for standard output (then the table is not printed), empty: none
  std::string progress = "auto";
  std::string log_level = "info";
  std::string help_as;  ///< "man", …: print that and stop
  int32_t threads = 0;  ///< 0: all cores; of the commands that have AddThreads
  uint64_t seed = 1;    ///< of the commands that have AddSeed

  /// `progress`, checked when the command line was read.
  Progress::Style ProgressStyle() const;
};

/// A program: parses, runs, prints errors, writes the JSON report whatever happens, returns the exit code.
class Tool {
 public:
  /// `description`: one sentence. `examples`: command lines, indented by two, with which help ends.
  Tool(std::string name, std::string description, std::string examples);
  ~Tool();
  Tool(const Tool&) = delete;
  Tool& operator=(const Tool&) = delete;

  /// Adds a command that the first word names; the first one added is meant where none is named. `run` fills
  /// the report; its error becomes one sentence on stderr and the exit code. The reference holds until the
  /// next call.
  Command& AddCommand(std::string name, std::string description, std::string examples,
                      std::function<Status(Report&)> run);
  /// What a flag of the time before there were commands is now, in the order in which they are looked for.
  void SetOldSpellings(std::vector<OldSpelling> old);

  /// Of a program without commands: where it adds its own flags before Main. Give each a type_name (FILE, N,
  /// "a|b" where only these are taken, …), a group and a description that states its unit; the
  /// default is shown by itself, unless the description says "(default …)". A flag given twice means its last
  /// value; options of vectors collect. The -o/--output flag, if there is one, is known by that name.
  CLI::App& app();
  Command& command();
  /// The dozen flags that -h shows, in this order; --help shows all.
  void SetUsual(std::vector<std::string> names);
  CommonFlags& flags();

  /// Flags of those commands only on which they have an effect; the others take them with a warning.
  void AddThreads(Command& command, const char* group, const char* text);
  void AddSeed(Command& command, const char* group, const char* text);

  /// True if the flag ("--seed") was given to the command that runs, on the command line or by --config.
  bool Given(const std::string& flag) const;

  /// Whether this command runs, once the command line is read.
  bool Runs(std::string_view command) const;

  /// --config and --print-config are the business of the first command (qat-train: a TrainConfig).
  void OwnConfig();

  /// `declare` says which files the flags name, once they are read: an output that is an input or another
  /// output ends the program (exit 2) before anything is opened. --json and --config are known.
  void DeclareFiles(std::function<void(FileUse&)> declare);

  /// Prints results on standard output; nothing where that carries the JSON report or the output file
  /// ("--json -", "-o -"). A reader that went away (head) is no error; a full disk is exit 6.
  void Print(std::string_view text);

  /// What --json carries instead of the report, where the command ends well: a document of another schema.
  void SetJson(std::string document);

  /// Names the flags that sentences of the library mean (messages.h). Messages that are logged, and the
  /// report that is written, have passed it anyway; what prints or renders a report itself calls it first.
  void NameFlags(Report& report) const;
  std::string NameFlags(std::string_view text) const;

  /// Of a program with commands.
  int Main(int argc, const char* const* argv);
  /// Of one without. Outputs of `run` are opened there, before the long work; the JSON report is opened
  /// before `run`. With report.status "gate-failed" the exit code is 1.
  int Main(int argc, const char* const* argv, const std::function<Status(Report&)>& run);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace qat

#endif  // QAT_CLI_TOOL_H_
