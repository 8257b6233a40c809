#include "results.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "cli/terminal.h"
#include "report/ci_formats.h"

namespace qat {

Status OpenOutput(const char* flag, const std::string& path, std::optional<OutputFile>& file) {
  if (path.empty()) return {};
  QAT_ASSIGN_OR_RETURN_IN(flag, file, OutputFile::Open(path));
  return {};
}

Status Commit(const char* what, std::optional<OutputFile>& file, std::string_view text, Report& report) {
  if (!file) return {};
  report.outputs[what] = file->path();
  return file->Commit(text);
}

void PrintTable(const Report& report, const EvalFlags& flags, Tool& tool) {
  const auto outputs = flags.Outputs();
  const bool taken =
      tool.flags().json == "-" || std::any_of(outputs.begin(), outputs.end(),
                                              [](const EvalOutput& output) { return output.path == "-"; });
  if (!taken)
    return tool.Print(
        ToTable(report, {.details = flags.details, .colour = WantsColour(stdout), .more = "--details"}));
  for (const std::string& warning : report.warnings) LogWarning(warning);
}

Status ReportFiles::Open(const EvalFlags& flags) {
  QAT_RETURN_IF_ERROR(OpenOutput("--html", flags.html, html_));
  QAT_RETURN_IF_ERROR(OpenOutput("--junit", flags.junit, junit_));
  QAT_RETURN_IF_ERROR(OpenOutput("--markdown", flags.markdown, markdown_));
  return OpenOutput("--benchmark-json", flags.benchmark_json, benchmark_);
}

Status FirstFailure(Status first, Status second) { return first.ok() ? second : first; }

// A file that cannot be written takes none of the others with it.
Status ReportFiles::Write(const Report& shown, Report& own) {
  const Status page = Commit("html", html_, html_ ? ToHtml(shown) : "", own);
  const Status times = Commit("benchmark_json", benchmark_, benchmark_ ? ToBenchmarkJson(shown) : "", own);
  return FirstFailure(FirstFailure(page, times), WriteVerdict(shown, own));
}

Status ReportFiles::WriteVerdict(const Report& shown, Report& own) {
  std::optional<OutputFile> junit = std::exchange(junit_, {}), markdown = std::exchange(markdown_, {});
  const Status tests = Commit("junit", junit, junit ? ToJunit(shown) : "", own);
  return FirstFailure(tests, Commit("markdown", markdown, markdown ? ToMarkdown(shown) : "", own));
}

Status Conclude(ReportFiles& files, const EvalFlags& flags, Tool& tool, Report& report) {
  tool.NameFlags(report);
  const Status written = files.Write(report, report);
  PrintTable(report, flags, tool);  // what took long to measure is shown, whatever became of the files
  return written;
}

}  // namespace qat
