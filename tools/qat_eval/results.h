// results.h: what is made of a report: table, page, files for CI.
#ifndef QAT_TOOLS_QAT_EVAL_RESULTS_H_
#define QAT_TOOLS_QAT_EVAL_RESULTS_H_

#include <optional>
#include <string_view>

#include "base/expected.h"
#include "base/file.h"
#include "cli/tool.h"
#include "flags.h"
#include "report/report.h"

namespace qat {

/// A file that the user asked for, opened before the long work; an empty path: none.
Status OpenOutput(const char* flag, const std::string& path, std::optional<OutputFile>& file);

/// Writes it, if it was asked for, and names it in `report`.
Status Commit(const char* what, std::optional<OutputFile>& file, std::string_view text, Report& report);

/// Prints the table. It holds the warnings; where standard output carries something else, they are logged.
void PrintTable(const Report& report, const EvalFlags& flags, Tool& tool);

/// The files that are made of a finished report.
class ReportFiles {
 public:
  Status Open(const EvalFlags& flags);
  /// `own` is told of the files; `shown` is what they show.
  Status Write(const Report& shown, Report& own);
  /// Those that CI shows where the run itself failed; each is written once.
  Status WriteVerdict(const Report& shown, Report& own);

 private:
  std::optional<OutputFile> html_, junit_, markdown_, benchmark_;
};

/// The first of two outcomes that is an error.
Status FirstFailure(Status first, Status second);

/// Names the flags in the report's sentences, writes the files and prints the table: the table and every
/// other file also where one cannot be written.
Status Conclude(ReportFiles& files, const EvalFlags& flags, Tool& tool, Report& report);

}  // namespace qat

#endif  // QAT_TOOLS_QAT_EVAL_RESULTS_H_
