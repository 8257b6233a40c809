#include "commands.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "base/file.h"
#include "base/file_kind.h"
#include "base/input_file.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/work_hooks.h"
#include "results.h"
#include "stage_progress.h"

namespace qat {
namespace {

// By its first bytes. A stream can be read only once, so it is taken for a model; --graph says that it is a
// graph.
bool IsGraphFile(const std::string& path) {
  Bytes head(16);
  auto file = InputFile::Open(path);
  if (!file.ok() || !file->size()) return false;
  const auto count = file->Read(head);
  return count.ok() && ExpectKind(std::span(head).first(*count), kGraphIdentifier, path).ok();
}

// A model or a frozen graph, as its first bytes say. What cannot be read is left to the reader of models.
Status PlaceModel(const std::string& path, RowRequest& rows) {
  if (!IsGraphFile(path)) {
    rows.models.push_back(path);
    return {};
  }
  if (!rows.graph.empty()) return InvalidArgument(StrCat(path, ": is a second frozen graph, expected one"));
  rows.graph = path;
  return {};
}

Status PlaceModels(const std::vector<std::string>& paths, RowRequest& rows) {
  for (const std::string& path : paths) QAT_RETURN_IF_ERROR(PlaceModel(path, rows));
  return {};
}

// The model of a command that runs one: named by a flag, else the first argument.
Status PlaceFirstModel(std::vector<std::string>& arguments, RowRequest& rows) {
  const bool named = !rows.models.empty() || !rows.graph.empty();
  if (named || arguments.empty()) return {};
  QAT_RETURN_IF_ERROR(PlaceModel(arguments.front(), rows));
  arguments.erase(arguments.begin());
  return {};
}

// Does the work of a command whose report becomes files, and writes them, also of an error, which is what CI
// must show. It stays the error of the run, even where they cannot be written. An interrupted run leaves no
// file.
template <class Work>
Status WithFiles(EvalFlags& flags, Tool& tool, Report& report, Work&& work) {
  ReportFiles files;
  QAT_RETURN_IF_ERROR(CheckEvalOutputs(flags, tool));
  QAT_RETURN_IF_ERROR(files.Open(flags));
  Status done = ApplyEvalFlags(flags, tool);
  if (done.ok()) done = work(files);
  if (done.ok() || done.error().code == ErrorCode::kInterrupted) return done;
  Report shown = report;
  shown.status = "error";
  shown.error = done.error().message;
  tool.NameFlags(shown);
  if (const Status written = files.WriteVerdict(shown, report); !written.ok())
    LogWarning(written.error().message);
  return done;
}

}  // namespace

Status RunCompare(EvalFlags& flags, Tool& tool, Report& report) {
  return WithFiles(flags, tool, report, [&](ReportFiles& files) -> Status {
    QAT_RETURN_IF_ERROR(PlaceModels(flags.arguments, flags.request.rows));
    QAT_RETURN_IF_ERROR(CheckRequest(flags.request));
    std::optional<OutputFile> csv;
    QAT_RETURN_IF_ERROR(OpenOutput("--predictions", flags.predictions, csv));
    StageProgress progress(tool.flags().ProgressStyle());
    const Expected<std::string> predictions = Evaluate(flags.request, progress.Hooks(), report);
    progress.Finish();
    if (!predictions.ok()) return predictions.error();
    const Status written = Commit("predictions", csv, *predictions, report);
    return FirstFailure(written, Conclude(files, flags, tool, report));
  });
}

Status RunBenchmark(EvalFlags& flags, Tool& tool, Report& report) {
  return WithFiles(flags, tool, report, [&](ReportFiles& files) -> Status {
    QAT_RETURN_IF_ERROR(PlaceModels(flags.arguments, flags.request.rows));
    StageProgress progress(tool.flags().ProgressStyle());
    const Status measured = RunBench(flags.bench, flags.request.rows, progress.Hooks(), report);
    progress.Finish();
    QAT_RETURN_IF_ERROR(Status(measured));
    return Conclude(files, flags, tool, report);
  });
}

// Pictures that were read are shown where others were not.
Status RunClassify(EvalFlags& flags, Tool& tool, Report& report) {
  QAT_RETURN_IF_ERROR(ApplyEvalFlags(flags, tool));
  std::vector<std::string>& files = flags.pictures.files;
  QAT_RETURN_IF_ERROR(PlaceFirstModel(flags.arguments, flags.request.rows));
  files.insert(files.end(), flags.arguments.begin(), flags.arguments.end());
  if (files.empty())
    return InvalidArgument("expected a model and pictures (JPEG, PNG, BMP), arrays or tables to classify");
  flags.pictures.topk = *std::max_element(flags.request.topk.begin(), flags.request.topk.end());
  StageProgress progress(tool.flags().ProgressStyle());
  Status status = RunPictures(flags.pictures, flags.request.rows, progress.Hooks(), report);
  progress.Finish();
  tool.NameFlags(report);
  if (!report.pictures.empty()) PrintTable(report, flags, tool);
  return status;
}

Status RunModel(EvalFlags& flags, Tool& tool, Report& report) {
  QAT_RETURN_IF_ERROR(ApplyEvalFlags(flags, tool));
  if (!flags.argument.empty()) QAT_RETURN_IF_ERROR(PlaceModel(flags.argument, flags.request.rows));
  StageProgress progress(tool.flags().ProgressStyle());
  const auto outputs = RunTensors(flags.tensors, flags.request.rows, progress.Hooks(), report);
  progress.Finish();
  if (!outputs.ok()) return outputs.error();
  for (const std::string& warning : report.warnings) LogWarning(warning);
  for (const std::string& note : report.data_notes) LogInfo(note);
  if (flags.tensors.save_outputs.empty()) tool.Print(TensorsText(*outputs));
  return {};
}

Status RunTrace(EvalFlags& flags, Tool& tool, Report& report) {
  return WithFiles(flags, tool, report, [&](ReportFiles& files) -> Status {
    if (flags.argument.empty())
      return InvalidArgument("expected a model whose way back to its data is to be traced");
    StageProgress progress(tool.flags().ProgressStyle());
    flags.trace = {flags.argument, flags.request.rows.graph, flags.request.rows.checkpoint,
                   flags.request.data, progress.Hooks()};
    Expected<std::vector<TraceLink>> links = Trace(flags.trace);
    progress.Finish();
    if (!links.ok()) return links.error();
    report.trace = *std::move(links);
    const bool broken = std::any_of(report.trace.begin(), report.trace.end(),
                                    [](const TraceLink& link) { return link.state == "differs"; });
    if (broken) report.status = "gate-failed";
    return Conclude(files, flags, tool, report);
  });
}

Status ShowReport(EvalFlags& flags, Tool& tool, Report& own) {
  if (flags.schema) {
    tool.Print(ReportSchema());
    return {};
  }
  return WithFiles(flags, tool, own, [&](ReportFiles& files) -> Status {
    if (flags.argument.empty()) return InvalidArgument("expected a JSON report to show, or --schema");
    QAT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(flags.argument, kLargestLog));
    QAT_ASSIGN_OR_RETURN(const Report report, ParseReport(text, flags.argument));
    if (!flags.benchmark_json.empty() && report.models.empty() && report.benchmarks.empty())
      return InvalidArgument(StrCat("--benchmark-json: ", flags.argument,
                                    " holds no figures of models, expected a report of compare or bench"));
    PrintTable(report, flags, tool);
    return files.Write(report, own);
  });
}

}  // namespace qat
