#include "commands.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "base/file.h"
#include "base/file_kind.h"
#include "base/input_file.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/version.h"
#include "eval/hooks.h"
#include "results.h"
#include "stage_progress.h"

namespace qat {
namespace {

// By its first bytes. A stream can be read only once, so it is taken for a model; --graph says that it is a graph.
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

// An interrupted run leaves no file; another error is what CI must show. It stays the error of the run, even where the
// files cannot be written.
Error ReportError(const Error& error, ReportFiles& files, Tool& tool, Report& report) {
  if (error.code == ErrorCode::kInterrupted) return error;
  Report shown = report;
  shown.status = "error";
  shown.error = error.message;
  tool.NameFlags(shown);
  if (const Status written = files.WriteVerdict(shown, report); !written.ok())
    LogWarning(written.error().message);
  return error;
}

}  // namespace

Status RunCompare(EvalFlags& flags, Tool& tool, Report& report) {
  QAT_RETURN_IF_ERROR(ApplyEvalFlags(flags, tool));
  QAT_RETURN_IF_ERROR(PlaceModels(flags.arguments, flags.request.rows));
  QAT_RETURN_IF_ERROR(CheckRequest(flags.request));
  ReportFiles files;
  std::optional<OutputFile> csv;
  QAT_RETURN_IF_ERROR(files.Open(flags));
  QAT_RETURN_IF_ERROR(OpenOutput("--predictions", flags.predictions, csv));
  report.tool = "qat-eval";
  report.version = Version();
  StageProgress progress(tool.flags().ProgressStyle());
  const Expected<std::string> predictions = Evaluate(flags.request, progress.Hooks(), report);
  progress.Finish();
  if (!predictions.ok()) return ReportError(predictions.error(), files, tool, report);
  QAT_RETURN_IF_ERROR(Commit("predictions", csv, *predictions, report));
  return Conclude(files, flags, tool, report);
}

Status RunBenchmark(EvalFlags& flags, Tool& tool, Report& report) {
  QAT_RETURN_IF_ERROR(ApplyEvalFlags(flags, tool));
  QAT_RETURN_IF_ERROR(PlaceModels(flags.arguments, flags.request.rows));
  ReportFiles files;
  QAT_RETURN_IF_ERROR(files.Open(flags));
  StageProgress progress(tool.flags().ProgressStyle());
  const Status measured = RunBench(flags.bench, flags.request.rows, progress.Hooks(), report);
  progress.Finish();
  QAT_RETURN_IF_ERROR(Status(measured));
  return Conclude(files, flags, tool, report);
}

// Pictures that were read are shown where others were not.
Status RunClassify(EvalFlags& flags, Tool& tool, Report& report) {
  QAT_RETURN_IF_ERROR(ApplyEvalFlags(flags, tool));
  std::vector<std::string>& files = flags.pictures.files;
  QAT_RETURN_IF_ERROR(PlaceFirstModel(flags.arguments, flags.request.rows));
  files.insert(files.end(), flags.arguments.begin(), flags.arguments.end());
  if (files.empty()) return InvalidArgument("expected a model and pictures (JPEG, PNG, BMP) to classify");
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
  for (const std::string& note : report.data_notes) LogInfo(note);
  if (flags.tensors.save_outputs.empty()) tool.Print(TensorsText(*outputs));
  return {};
}

Status RunTrace(EvalFlags& flags, Tool& tool, Report& report) {
  QAT_RETURN_IF_ERROR(ApplyEvalFlags(flags, tool));
  if (flags.argument.empty()) return InvalidArgument("expected a model whose way back to its data is to be traced");
  flags.trace = {flags.argument, flags.request.rows.graph, flags.request.rows.checkpoint, flags.request.data, Interrupted};
  ReportFiles files;
  QAT_RETURN_IF_ERROR(files.Open(flags));
  QAT_ASSIGN_OR_RETURN(report.trace, Trace(flags.trace));
  const bool broken = std::any_of(report.trace.begin(), report.trace.end(),
                                  [](const TraceLink& link) { return link.state == "differs"; });
  if (broken) report.status = "gate-failed";
  return Conclude(files, flags, tool, report);
}

Status ShowReport(EvalFlags& flags, Tool& tool, Report& own) {
  if (flags.schema) {
    tool.Print(ReportSchema());
    return {};
  }
  QAT_RETURN_IF_ERROR(ApplyEvalFlags(flags, tool));
  if (flags.argument.empty()) return InvalidArgument("expected a JSON report to show, or --schema");
  QAT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(flags.argument, kLargestLog));
  QAT_ASSIGN_OR_RETURN(const Report report, ParseReport(text, flags.argument));
  ReportFiles files;
  QAT_RETURN_IF_ERROR(files.Open(flags));
  PrintTable(report, flags, tool);
  return files.Write(report, own);
}

}  // namespace qat
