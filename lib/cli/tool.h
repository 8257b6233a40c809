// tool.h: what the four programs have in common: flags, exit codes, errors as one sentence, interruption, progress.
#ifndef QAT_CLI_TOOL_H_
#define QAT_CLI_TOOL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/expected.h"
#include "report/report.h"

namespace CLI {
class App;
}

namespace qat {

/// Exit codes, the same everywhere (docs/design.md, section 4).
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

/// Flags of all tools: --json --config --print-config --progress --log-level --threads --seed --version.
struct CommonFlags {
  std::string json;  ///< path, "-" for standard output (then the table is not printed), empty: none
  std::string progress = "auto";
  std::string log_level = "info";
  int32_t threads = 0;
  uint64_t seed = 1;
};

/// A program: parses, runs, prints errors, writes the JSON report whatever happens, returns the exit code.
class Tool {
 public:
  /// `examples`: two command lines with which --help ends.
  Tool(std::string name, std::string description, std::string examples);
  ~Tool();

  CLI::App& app();
  CommonFlags& flags();

  /// `run` fills the report; its error becomes one sentence on stderr and the exit code. Outputs of `run` are opened there,
  /// before the long work. The report is printed by `run` itself where stdout shows results.
  int Main(int argc, char** argv, const std::function<Status(Report&)>& run);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Set by SIGINT and SIGTERM; long work polls it, saves, and returns kInterrupted.
bool Interrupted();
/// The signal that was caught; 0: none.
int InterruptSignal();
/// Installs the handlers. A second signal ends the program at once.
void CatchInterrupts();

/// Progress of long work on standard error: a bar with ETA on a terminal, plain lines elsewhere, NDJSON, or nothing.
class Progress {
 public:
  enum class Style { kAuto, kBar, kPlain, kNdjson, kNone };
  static Expected<Style> ParseStyle(std::string_view name);

  Progress(Style style, std::string what, int64_t total);
  ~Progress();
  /// `detail`: "loss 0.31  accuracy 97.2 %". Cheap to call often: draws at most ten times a second.
  void Update(int64_t done, std::string_view detail);
  void Finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace qat

#endif  // QAT_CLI_TOOL_H_
