// The command inspect: what a file is made of, or in what two differ.
#include <optional>

#include "base/printable.h"
#include "base/strings.h"
#include "commands.h"
#include "inspect/print.h"
#include "results.h"

namespace qat {
namespace {

Status ShowDifferences(const EvalFlags& flags, Tool& tool, Report& report) {
  if (!flags.dot.empty()) return InvalidArgument("--dot: draws one file, expected it without --diff");
  if (flags.arguments.size() != 2) return InvalidArgument(StrCat("--diff: ", flags.arguments.size(), flags.arguments.size() == 1 ? " file is" : " files are", " given, expected two"));
  QAT_ASSIGN_OR_RETURN(const Inspection a, Inspect(flags.arguments[0], flags.request.rows.select));
  QAT_ASSIGN_OR_RETURN(const Inspection b, Inspect(flags.arguments[1], flags.request.rows.select));
  const std::vector<Difference> differences = Compare(a, b);
  tool.SetJson(DifferencesJson(a, b, differences));
  tool.Print(PrintableLines(DifferencesText(a, b, differences)));
  if (!differences.empty()) report.status = "gate-failed";
  return {};
}

}  // namespace

Status RunInspect(EvalFlags& flags, Tool& tool, Report& report) {
  QAT_RETURN_IF_ERROR(ApplyEvalFlags(flags, tool));
  if (flags.arguments.empty()) return InvalidArgument("expected a model, a graph, a run, a checkpoint or weights to inspect");
  if (flags.diff) return ShowDifferences(flags, tool, report);
  if (flags.arguments.size() > 1) return InvalidArgument(StrCat(flags.arguments.size(), " files are given, expected one, or --diff with two"));
  std::optional<OutputFile> dot;
  QAT_RETURN_IF_ERROR(OpenOutput("--dot", flags.dot, dot));
  QAT_ASSIGN_OR_RETURN(const Inspection inspection, Inspect(flags.arguments[0], flags.request.rows.select));
  tool.SetJson(InspectionJson(inspection));
  if (flags.dot == "-") {
    return dot->Commit(InspectionDot(inspection));
  }
  QAT_RETURN_IF_ERROR(Commit("dot", dot, InspectionDot(inspection), report));
  tool.Print(PrintableLines(InspectionText(inspection, flags.details)));
  return {};
}

}  // namespace qat
