// qat-eval: float against integers on the same images: accuracy, latency, proof, gates. Its work is lib/eval.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <thread>

#include "base/file.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/version.h"
#include "cli/number_pair.h"
#include "cli/tool.h"
#include "eval/bench.h"
#include "eval/evaluate.h"
#include "eval/picture_run.h"
#include "eval/tensor_run.h"
#include "report/ci_formats.h"
#include "report/report.h"
#include "trace/trace.h"

namespace qat {
namespace {

struct Flags {
  EvalRequest request;
  TensorRunRequest tensors;
  PictureRunRequest pictures;
  BenchRequest bench;
  TraceRequest trace;
  std::string input_stats;
  std::string max_flips;
  std::string kernels = "fast";
  std::string profile = "tflite";
  std::string html, predictions, report;
  std::string junit, markdown, benchmark_json;
  bool schema = false;
};

void AddFlags(CLI::App& app, Flags& flags) {
  EvalRequest& request = flags.request;
  const auto add = [&app](const char* name, auto& value, const char* type, const char* text) {
    return app.add_option(name, value, text)->type_name(type);
  };
  app.option_defaults()->group("What to compare");
  add("--data", request.data, "DATA", "'digits', or a path as for qat-train; its test split is used");
  add("--float", request.rows.float_run, "RUN", "a run with --scheme float32: row 'float'");
  add("--checkpoint", request.rows.checkpoint, "RUN",
      "a run or checkpoint: rows 'checkpoint' and 'simulated'");
  add("--graph", request.rows.graph, "FILE", "a frozen graph (.qgraph): row 'graph'");
  add("--model", request.rows.models, "FILE", "a .tflite model; repeatable")->allow_extra_args(false);
  add("--select", request.rows.select, "WHICH", "checkpoint of a run: best, last or a step (default best)");
  app.option_defaults()->group("How");
  add("--limit", request.limit, "N", "first N images only (default 0: all); --strict: stop at a broken one");
  app.add_flag("--strict", request.strict, "stop at a picture that cannot be read instead of leaving it out")
      ->group("");
  add("--data-cache", request.data_cache, "MIB",
      "decoded pictures stay in memory where all fit (default 1024)")
      ->group("");
  add("--repeat", request.repeat, "N",
      "timed rounds over the images (default 1, for gates 2 s; 0: no times)");
  add("--topk", request.topk, "K,...", "top-k accuracies in report and page (default 1,5)")->delimiter(',');
  add("--kernels", flags.kernels, "SET", "reference or fast (default fast)");
  add("--profile", flags.profile, "NAME",
      "tflite or tflite-classic (default tflite); --rounding: both, as a pair");
  app.add_flag("--rounding", request.rows.other_rounding,
               "which labels depend on the rounding: a pair of both profiles")
      ->group("");
  add("--litert", request.rows.litert, "PYTHON",
      "TFLite as a row: auto, off or a Python that has it (default auto)");
  add("--input", flags.tensors.inputs, "X.npy",
      "tensors [N, ...], again for each input; --save-outputs Y.npy")
      ->allow_extra_args(false);
  add("--save-outputs", flags.tensors.save_outputs, "Y.npy", "[N, ...]; further outputs as Y.1.npy, ...")
      ->group("");
  add("--image", flags.pictures.files, "FILE...",
      "pictures (JPEG, PNG, BMP): print what one model sees in each");
  add("--input-stats", flags.input_stats, "MEAN,STD",
      "of a model that does not say it: real = (byte - MEAN) / STD");
  app.add_flag("--bench", flags.bench.wanted, "times on random inputs; --batch N: of N, too; --operators");
  add("--batch", flags.bench.batch, "N", "with --bench: a batch of N, too")->group("");
  app.add_flag("--operators", flags.bench.operators, "with --bench: every operator")->group("");
  add("--trace", flags.trace.start, "FILE", "walk from a model back to its data, hash by hash");
  app.option_defaults()->group("Gates: exit code 1 where one fails");
  add("--min-accuracy", request.gates.min_accuracy, "X", "least accuracy of a model, in percent");
  add("--max-drop", request.gates.max_drop, "X",
      "most points under float, else checkpoint, else the first model");
  add("--max-rmse", request.gates.max_rmse, "X",
      "of real numbers; --max-error-rise P: percent over that row's");
  add("--max-error-rise", request.gates.max_error_rise, "P",
      "most percent of the RMSE over float's, else checkpoint's, else the first model's")
      ->group("");
  add("--max-flips", flags.max_flips, "[ROW=]N",
      "labels that differ from that row's or ROW's; --max-steps N: outputs");
  add("--max-steps", request.gates.max_steps, "N", "most steps off simulated and litert (default 0; -1: any)")
      ->group("");
  add("--max-changed-ranges", request.gates.max_changed_ranges, "N",
      "outputs whose scale is not training's (default 0; -1: any)")
      ->group("");
  add("--max-layer-loss", request.gates.max_layer_loss, "DB",
      "with --baseline: most decibels that a layer's own rounding loses (default 6; -1: any)")
      ->group("");
  add("--significance", request.gates.significance, "P",
      "excuse a drop whose McNemar p is over P (default 0: none)");
  add("--max-size", request.gates.max_size, "N", "most bytes of the file");
  add("--min-speedup", request.gates.min_speedup, "X",
      "least ratio of that row's median time to the model's");
  add("--max-latency", request.gates.max_latency, "US",
      "most microseconds, median; --max-latency-ratio X: to that row's");
  add("--max-latency-ratio", request.gates.max_latency_ratio, "X",
      "most of the model's median time to that row's")
      ->group("");
  add("--baseline", request.baseline, "FILE", "hold drop and speed against this earlier report instead");
  app.option_defaults()->group("Results");
  add("--html", flags.html, "FILE", "write a page: table, curves, layers, flipped images");
  add("--predictions", flags.predictions, "FILE", "write the label of each image and row as CSV");
  add("--junit", flags.junit, "FILE", "write gates as JUnit XML; so --markdown and --benchmark-json");
  add("--markdown", flags.markdown, "FILE", "write a job summary as Markdown")->group("");
  add("--benchmark-json", flags.benchmark_json, "FILE", "write github-action-benchmark's JSON")->group("");
  add("--report", flags.report, "FILE", "show an earlier JSON report; nothing is run");
  app.add_flag("--schema", flags.schema, "print the JSON Schema of the report and stop");
  app.option_defaults()->group("Flags");
  app.get_option("--threads")->description("threads of models and graphs (default 1)");
}

Status ParseInterpreterOptions(Flags& flags) {
  InterpreterOptions& options = flags.request.rows.interpreter;
  if (flags.kernels != "reference" && flags.kernels != "fast") {
    return InvalidArgument(StrCat("--kernels: value '", flags.kernels, "', expected reference or fast"));
  }
  if (flags.profile != "tflite" && flags.profile != "tflite-classic") {
    return InvalidArgument(
        StrCat("--profile: value '", flags.profile, "', expected tflite or tflite-classic"));
  }
  options.kernels = flags.kernels == "fast" ? KernelSet::kFast : KernelSet::kReference;
  options.profile =
      flags.profile == "tflite" ? ArithmeticProfile::kTflite : ArithmeticProfile::kTfliteClassic;
  return {};
}

// One unless asked for: what latencies of one image are compared at.
Status ParseThreads(Flags& flags, Tool& tool) {
  if (!tool.Given("--threads")) return {};
  const int32_t threads = tool.flags().threads;
  const auto cores = static_cast<int32_t>(std::thread::hardware_concurrency());
  flags.request.rows.interpreter.threads = threads == 0 ? std::max(cores, 1) : threads;
  if (threads <= ThreadPool::kMaxThreads) return {};
  return InvalidArgument(
      StrCat("--threads: value ", threads, ", expected at most ", ThreadPool::kMaxThreads));
}

// One bar per stage of the work, gone when the stage is done: what it found is shown by the table.
class StageProgress {
 public:
  explicit StageProgress(Progress::Style style) : style_(style) {}
  void Update(const std::string& what, int64_t done, int64_t total) {
    if (!progress_ || what != what_) {
      Finish();
      progress_ = std::make_unique<Progress>(style_, what, total);
      what_ = what;
    }
    progress_->Expect(total);
    progress_->Update(done, "");
    if (done >= total) Finish();
  }
  void Finish() {
    if (progress_) progress_->Clear();
    progress_.reset();
  }

 private:
  Progress::Style style_;
  std::string what_;
  std::unique_ptr<Progress> progress_;
};

// A file that the user asked for, opened before the long work.
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

Status CheckStreams(const Flags& flags, const CommonFlags& common) {
  int taken = 0;
  for (const std::string* path : {&flags.html, &flags.predictions, &flags.junit, &flags.markdown,
                                  &flags.benchmark_json, &common.json}) {
    taken += *path == "-";
  }
  if (taken > 1) return InvalidArgument("more than one output is '-': standard output can carry only one");
  return {};
}

// The table holds the warnings; where it is not printed, they must be seen all the same.
void PrintTable(const Report& report, const Flags& flags, Tool& tool) {
  const std::vector<std::string> outputs = {flags.html,     flags.predictions,    flags.junit,
                                            flags.markdown, flags.benchmark_json, tool.flags().json};
  if (std::find(outputs.begin(), outputs.end(), "-") == outputs.end()) return tool.Print(ToTable(report));
  for (const std::string& warning : report.warnings) LogWarning(warning);
}

// What is made of a finished report.
class ReportFiles {
 public:
  Status Open(const Flags& flags) {
    QAT_RETURN_IF_ERROR(OpenOutput("--html", flags.html, html_));
    QAT_RETURN_IF_ERROR(OpenOutput("--junit", flags.junit, junit_));
    QAT_RETURN_IF_ERROR(OpenOutput("--markdown", flags.markdown, markdown_));
    return OpenOutput("--benchmark-json", flags.benchmark_json, benchmark_);
  }
  // `own` is told of the files; `shown` is what they show.
  Status Write(const Report& shown, Report& own) {
    QAT_RETURN_IF_ERROR(Commit("html", html_, html_ ? ToHtml(shown) : "", own));
    QAT_RETURN_IF_ERROR(Commit("benchmark_json", benchmark_, benchmark_ ? ToBenchmarkJson(shown) : "", own));
    return WriteVerdict(shown, own);
  }
  // Those that CI shows where the run itself failed.
  Status WriteVerdict(const Report& shown, Report& own) {
    QAT_RETURN_IF_ERROR(Commit("junit", junit_, junit_ ? ToJunit(shown) : "", own));
    return Commit("markdown", markdown_, markdown_ ? ToMarkdown(shown) : "", own);
  }

 private:
  std::optional<OutputFile> html_, junit_, markdown_, benchmark_;
};

Status ShowReport(const Flags& flags, Tool& tool, Report& own) {
  QAT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(flags.report));
  QAT_ASSIGN_OR_RETURN(const Report report, ParseReport(text, flags.report));
  ReportFiles files;
  QAT_RETURN_IF_ERROR(files.Open(flags));
  PrintTable(report, flags, tool);
  return files.Write(report, own);
}

// An interrupted run leaves no file; another error is what CI must show. It stays the error of the run, even where the
// files cannot be written.
Error ReportError(const Error& error, ReportFiles& files, Report& report) {
  if (error.code == ErrorCode::kInterrupted) return error;
  Report shown = report;
  shown.status = "error";
  shown.error = error.message;
  if (const Status written = files.WriteVerdict(shown, report); !written.ok())
    LogWarning(written.error().message);
  return error;
}

Status RunEvaluation(const Flags& flags, Tool& tool, const WorkHooks& hooks, Report& report) {
  QAT_RETURN_IF_ERROR(CheckRequest(flags.request));
  ReportFiles files;
  std::optional<OutputFile> csv;
  QAT_RETURN_IF_ERROR(files.Open(flags));
  QAT_RETURN_IF_ERROR(OpenOutput("--predictions", flags.predictions, csv));
  report.tool = "qat-eval";
  report.version = Version();
  const Expected<std::string> predictions = Evaluate(flags.request, hooks, report);
  if (!predictions.ok()) return ReportError(predictions.error(), files, report);
  QAT_RETURN_IF_ERROR(Commit("predictions", csv, *predictions, report));
  QAT_RETURN_IF_ERROR(files.Write(report, report));
  PrintTable(report, flags, tool);
  return {};
}

// Pictures that were read are shown where others were not.
Status ClassifyPictures(Flags& flags, Tool& tool, const WorkHooks& hooks, Report& report) {
  flags.pictures.topk = *std::max_element(flags.request.topk.begin(), flags.request.topk.end());
  Status status = RunPictures(flags.pictures, flags.request.rows, hooks, report);
  if (!report.pictures.empty()) PrintTable(report, flags, tool);
  return status;
}

Status RunBenchmark(Flags& flags, Tool& tool, const WorkHooks& hooks, Report& report) {
  if (tool.Given("--repeat")) flags.bench.rounds = *flags.request.repeat;
  flags.bench.seed = flags.request.seed;
  ReportFiles files;
  QAT_RETURN_IF_ERROR(files.Open(flags));
  QAT_RETURN_IF_ERROR(RunBench(flags.bench, flags.request.rows, hooks, report));
  QAT_RETURN_IF_ERROR(files.Write(report, report));
  PrintTable(report, flags, tool);
  return {};
}

Status RunTrace(Flags& flags, Tool& tool, Report& report) {
  const RowRequest& rows = flags.request.rows;
  if (!rows.models.empty() || !rows.float_run.empty()) {
    return InvalidArgument("--trace: takes --graph, --checkpoint and --data, and nothing else to compare");
  }
  flags.trace.graph = rows.graph;
  flags.trace.run = rows.checkpoint;
  flags.trace.data = flags.request.data;
  flags.trace.interrupted = Interrupted;
  ReportFiles files;
  QAT_RETURN_IF_ERROR(files.Open(flags));
  QAT_ASSIGN_OR_RETURN_IN("--trace", report.trace, Trace(flags.trace));
  const bool broken = std::any_of(report.trace.begin(), report.trace.end(),
                                  [](const TraceLink& link) { return link.state == "differs"; });
  if (broken) report.status = "gate-failed";
  QAT_RETURN_IF_ERROR(files.Write(report, report));
  PrintTable(report, flags, tool);
  return {};
}

Status RunWhatIsAsked(Flags& flags, Tool& tool, const WorkHooks& hooks, Report& report) {
  if (!flags.trace.start.empty()) return RunTrace(flags, tool, report);
  const bool pictures = !flags.pictures.files.empty();
  if (int{pictures} + int{flags.tensors.Given()} + int{!flags.request.data.empty()} +
          int{flags.bench.wanted} >
      1) {
    return InvalidArgument(
        "--data, --input, --image and --bench: expected one of them: labelled images, tensors, pictures, or "
        "nothing");
  }
  if (flags.bench.wanted) return RunBenchmark(flags, tool, hooks, report);
  if (pictures) return ClassifyPictures(flags, tool, hooks, report);
  return flags.tensors.Given() ? RunTensors(flags.tensors, flags.request.rows, hooks, report)
                               : RunEvaluation(flags, tool, hooks, report);
}

Status ParseInputStats(Flags& flags) {
  if (flags.input_stats.empty()) return {};
  QAT_ASSIGN_OR_RETURN(const auto pair, ParseStats("--input-stats", flags.input_stats));
  flags.request.rows.input_stats = InputStats{static_cast<float>(pair[0]), static_cast<float>(pair[1])};
  return {};
}

Status Run(Flags& flags, Tool& tool, Report& report) {
  if (flags.schema) {
    tool.Print(ReportSchema());
    return {};
  }
  QAT_RETURN_IF_ERROR(CheckStreams(flags, tool.flags()));
  QAT_RETURN_IF_ERROR(ParseInterpreterOptions(flags));
  QAT_RETURN_IF_ERROR(ParseThreads(flags, tool));
  QAT_RETURN_IF_ERROR(ParseInputStats(flags));
  if (!flags.max_flips.empty()) QAT_RETURN_IF_ERROR(ParseMaxFlips(flags.max_flips, flags.request.gates));
  flags.request.seed = tool.flags().seed;
  if (!flags.report.empty()) return ShowReport(flags, tool, report);
  CatchInterrupts();
  StageProgress progress(tool.flags().ProgressStyle());
  WorkHooks hooks;
  hooks.interrupted = Interrupted;
  hooks.progress = [&](const std::string& what, int64_t done, int64_t total) {
    progress.Update(what, done, total);
  };
  Status status = RunWhatIsAsked(flags, tool, hooks, report);
  progress.Finish();
  return status;
}

}  // namespace
}  // namespace qat

int main(int argc, char** argv) {
  qat::Tool tool(
      "qat-eval", "Compares a network in float and in integers on the same images.",
      "  qat-eval --data digits --checkpoint run --graph g.qgraph --model m.tflite --max-drop 0.1\n"
      "  qat-eval --model m.tflite --image cat.jpg\n");
  qat::Flags flags;
  flags.request.rows.litert = "auto";
  flags.request.rows.on_note = qat::LogInfo;
  qat::AddFlags(tool.app(), flags);
  return tool.Main(argc, argv, [&](qat::Report& report) { return qat::Run(flags, tool, report); });
}
