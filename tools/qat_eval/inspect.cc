// The command inspect: what a file is made of, or in what two differ.
#include <optional>

#include "base/file.h"
#include "base/file_kind.h"
#include "base/log.h"
#include "base/printable.h"
#include "base/strings.h"
#include "checkpoint/make_trainable.h"
#include "checkpoint/merit.h"
#include "commands.h"
#include "import/read_network.h"
#include "inspect/print.h"
#include "ir/batch_axis.h"
#include "results.h"
#include "spec/print_spec.h"

namespace qat {
namespace {

Status ShowDifferences(const EvalFlags& flags, Tool& tool, Report& report) {
  if (!flags.dot.empty()) return InvalidArgument("--dot: draws one file, expected it without --diff");
  if (!flags.spec.empty())
    return InvalidArgument("--spec: is written of one file, expected it without --diff");
  if (flags.arguments.size() != 2)
    return InvalidArgument(StrCat("--diff: ", flags.arguments.size(),
                                  flags.arguments.size() == 1 ? " file is" : " files are",
                                  " given, expected two"));
  QAT_ASSIGN_OR_RETURN(const Inspection a, Inspect(flags.arguments[0], flags.request.rows.select));
  QAT_ASSIGN_OR_RETURN(const Inspection b, Inspect(flags.arguments[1], flags.request.rows.select));
  const std::vector<Difference> differences = Compare(a, b);
  tool.SetJson(DifferencesJson(a, b, differences));
  tool.Print(PrintableLines(DifferencesText(a, b, differences)));
  if (!differences.empty()) report.status = "gate-failed";
  return {};
}

// Of a checkpoint the network that was trained; of a graph or a model the one that training would start from.
Expected<std::string> SpecOf(const EvalFlags& flags) {
  std::string path = flags.arguments[0];
  if (IsDirectory(path)) {
    QAT_ASSIGN_OR_RETURN(const ChosenCheckpoint chosen, ChooseCheckpoint(path, flags.request.rows.select));
    path = chosen.path;
  }
  QAT_ASSIGN_OR_RETURN(const Bytes bytes, ReadFile(path));
  Graph network;
  if (IsKind(bytes, kCheckpointIdentifier)) {
    QAT_ASSIGN_OR_RETURN(Checkpoint checkpoint, ParseCheckpoint(bytes, path));
    network = std::move(checkpoint.network);
  } else {
    std::vector<std::string> notes;
    QAT_ASSIGN_OR_RETURN(ReadNetworkResult read, ReadNetwork(path, ReadNetworkOptions(), notes));
    KeepBatchFirst(read.graph);
    QAT_ASSIGN_OR_RETURN_IN(path, Checkpoint start, MakeTrainable(read.graph, read.batch_norms));
    network = std::move(start.network);
  }
  QAT_ASSIGN_OR_RETURN_IN(path, std::string text, PrintSpec(network));
  return text;
}

}  // namespace

Status RunInspect(EvalFlags& flags, Tool& tool, Report& report) {
  QAT_RETURN_IF_ERROR(ApplyEvalFlags(flags, tool));
  if (flags.arguments.empty())
    return InvalidArgument("expected a model, a graph, a run, a checkpoint or weights to inspect");
  if (flags.diff) return ShowDifferences(flags, tool, report);
  if (flags.arguments.size() > 1)
    return InvalidArgument(
        StrCat(flags.arguments.size(), " files are given, expected one, or --diff with two"));
  std::optional<OutputFile> dot, spec;
  QAT_RETURN_IF_ERROR(OpenOutput("--dot", flags.dot, dot));
  QAT_RETURN_IF_ERROR(OpenOutput("--spec", flags.spec, spec));
  QAT_ASSIGN_OR_RETURN(const Inspection inspection, Inspect(flags.arguments[0], flags.request.rows.select));
  tool.SetJson(InspectionJson(inspection));
  std::string toml;
  if (spec) {
    QAT_ASSIGN_OR_RETURN(toml, SpecOf(flags));
  }
  if (flags.dot != "-") QAT_RETURN_IF_ERROR(Commit("dot", dot, InspectionDot(inspection), report));
  if (flags.spec != "-") QAT_RETURN_IF_ERROR(Commit("spec", spec, toml, report));
  if (flags.dot == "-") return dot->Commit(InspectionDot(inspection));
  if (flags.spec == "-") return spec->Commit(toml);
  tool.Print(PrintableLines(InspectionText(inspection, flags.details)));
  return {};
}

}  // namespace qat
