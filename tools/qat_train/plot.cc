#include "plot.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>

#include "base/file.h"
#include "base/strings.h"
#include "cli/output_name.h"
#include "eval/run_curves.h"
#include "report/run_page.h"

namespace qat {
namespace {

// "runs/lenet/" -> "lenet"; "." -> the name of this directory.
std::string NameOf(const std::string& run) {
  const std::filesystem::path path = std::filesystem::absolute(run).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

// By the directory's name, by its whole path where another run has the same one.
void NameRuns(const std::vector<std::string>& paths, std::vector<RunRecord>& runs) {
  for (size_t i = 0; i < paths.size(); ++i) {
    const std::string name = NameOf(paths[i]);
    const auto same = std::count_if(paths.begin(), paths.end(),
                                    [&](const std::string& other) { return NameOf(other) == name; });
    runs[i].name = same > 1 ? paths[i] : name;
  }
}

// Warnings of the library name fields of a recipe.
void NameFlags(const Tool& tool, RunRecord& run) {
  for (auto& [step, text] : run.warnings) {
    Report named;
    named.error = text;
    tool.NameFlags(named);
    text = named.error;
  }
}

std::string Remark(const RangeFinding& finding) {
  if (finding.RanAway()) return "ran away";
  if (finding.Clips()) return "clips";
  return "still moves";
}

// The lines on standard output: where the page is, and what to look at on it.
std::string Summary(const std::vector<RunRecord>& runs, const std::string& output) {
  std::string text = StrCat("page        ", output, "\n");
  for (const RunRecord& run : runs) {
    const std::string whose = runs.size() == 1 ? "" : StrCat(run.name, ": ");
    for (const auto& [step, warning] : run.warnings)
      text += StrCat("warning     ", whose, "step ", step, ": ", warning, "\n");
    for (const RangeFinding& finding : JudgeRanges(run)) {
      if (finding.RanAway() || finding.Clips() || finding.Moves())
        text += StrCat("range       ", whose, finding.tensor, " ", Remark(finding), "\n");
    }
  }
  return text;
}

Status CheckFlags(const PlotFlags& flags) {
  static constexpr std::array<std::string_view, 2> kPage = {".html", ".htm"};
  if (flags.runs.empty())
    return InvalidArgument("expected the directory of a training run, as qat-train -o wrote it");
  if (flags.runs.size() > kMostRunsOfAPage) {
    return InvalidArgument(StrCat(flags.runs.size(), " runs, expected at most ", kMostRunsOfAPage,
                                  ": more have no colours that can be told apart"));
  }
  return CheckOutputName({"--output", "an HTML page", kPage}, flags.output);
}

Status Plot(Tool& tool, const PlotFlags& flags, Report& report) {
  QAT_RETURN_IF_ERROR(CheckFlags(flags));
  std::vector<RunRecord> runs;
  for (const std::string& run : flags.runs) {
    QAT_ASSIGN_OR_RETURN(RunRecord record, ReadRunRecord(run));
    runs.push_back(std::move(record));
  }
  NameRuns(flags.runs, runs);
  for (RunRecord& run : runs) NameFlags(tool, run);
  const std::string path = flags.Output();
  QAT_ASSIGN_OR_RETURN_IN("--output", OutputFile file, OutputFile::Open(path));
  QAT_RETURN_IF_ERROR(file.Commit(RunPage(runs)));
  report.outputs["html"] = path;
  for (const RunRecord& run : runs) {
    for (const auto& [step, warning] : run.warnings)
      report.warnings.push_back(StrCat(run.name, ": step ", step, ": ", warning));
  }
  tool.Print(Summary(runs, path));
  return {};
}

}  // namespace

std::string PlotFlags::Output() const {
  if (!output.empty() || runs.empty()) return output;
  return JoinPath(runs.front(), "plot.html");
}

void AddPlotCommand(Tool& tool, PlotFlags& flags) {
  Command& command =
      tool.AddCommand("plot", "Draws runs as a page: curves, gradients, ranges, clipped values.",
                      "  qat-train plot runs/lenet\n"
                      "  qat-train plot runs/a runs/b -o both.html\n",
                      [&](Report& report) { return Plot(tool, flags, report); });
  command.usual = {"runs", "--output", "--json", "--log-level"};
  command.app
      ->add_option("runs", flags.runs, "directories of runs, also unfinished ones; several are overlaid")
      ->type_name("RUN...");
  command.app
      ->add_option("-o,--output", flags.output,
                   "the page; '-': standard output (default plot.html in the first RUN)")
      ->type_name("FILE")
      ->group("Output");
}

void DeclareFiles(const PlotFlags& flags, FileUse& use) {
  for (const std::string& run : flags.runs) use.ReadRun("RUN", run);
  use.Write("--output", flags.Output());
}

}  // namespace qat
