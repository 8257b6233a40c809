// progress.h: how far long work is, on standard error: results and progress never share a stream.
#ifndef QAT_CLI_PROGRESS_H_
#define QAT_CLI_PROGRESS_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "base/expected.h"

namespace qat {

/// A bar with ETA on a terminal, plain lines elsewhere, NDJSON, or nothing.
class Progress {
 public:
  enum class Style { kAuto, kBar, kPlain, kNdjson, kNone };

  /// "auto", "bar", "plain", "ndjson", "none". Errors: kInvalidArgument, with the nearest name.
  static Expected<Style> ParseStyle(std::string_view name);

  /// kAuto: a bar where `out` is a terminal that can redraw a line, plain lines elsewhere. Requires total >=
  /// 0; 0: unknown.
  Progress(Style style, std::string what, int64_t total, std::FILE* out = stderr);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Another total than was expected at first.
  void Expect(int64_t total);

  /// Shows `done` of the total and `detail`, such as "loss 0.31  accuracy 97.2 %". Cheap to call often: a bar
  /// is drawn at most ten times a second, an NDJSON object written at most once a second, a plain line at
  /// most every five seconds. A bar fits the terminal as wide as it is now, and gives way to messages and
  /// results (base/screen.h).
  void Update(int64_t done, std::string_view detail);

  /// Shows the last state, whatever the clock says, and ends the line. Further updates show nothing.
  void Finish();

  /// Takes a bar off the screen, for work whose result is shown by itself; else the same as Finish.
  void Clear();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// "0:07", "12:30", "3:05:00".
std::string DurationText(double seconds);

}  // namespace qat

#endif  // QAT_CLI_PROGRESS_H_
