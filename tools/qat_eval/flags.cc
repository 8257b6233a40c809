#include "flags.h"

#include <algorithm>
#include <array>
#include <optional>
#include <thread>

#include "base/file.h"
#include "base/file_kind.h"
#include "base/strings.h"
#include "cli/flag_table.h"
#include "cli/number_pair.h"

namespace qat {
namespace {

constexpr uint32_t kModels = kCompare | kBench | kClassify | kRun;   // commands that run models
constexpr uint32_t kReports = kCompare | kBench | kTrace | kReport;  // commands whose report becomes files

struct Group {
  const char* title;
  std::vector<FlagRow> rows;
};

std::vector<Group> InputGroups(EvalFlags& flags) {
  EvalRequest& request = flags.request;
  RowRequest& rows = request.rows;
  return {
      {"Arguments",
       {
           {"models", &flags.arguments, "MODEL...",
            "models (.tflite); a frozen graph (.qgraph) is taken as --graph", kCompare | kBench},
           {"files", &flags.arguments, "MODEL IMAGE...",
            "a model, then pictures (JPEG, PNG or BMP), arrays (.npy, .npz) or tables (.csv)", kClassify},
           {"model", &flags.argument, "MODEL", "a model (.tflite), or a frozen graph (.qgraph)", kRun},
           {"model", &flags.argument, "MODEL", "the .tflite model, graph or checkpoint to start with",
            kTrace},
           {"inspected", &flags.arguments, "FILE...",
            "a .tflite or .onnx model, a frozen graph, a run, a checkpoint or weights (.safetensors, .npz); "
            "two with --diff",
            kInspect},
           {"networks", &flags.arguments, "NETWORK...",
            "the network of real numbers (.qgraph, .tflite, .onnx); then the model it was converted to, "
            "unless --plan says it",
            kDebug},
           {"report", &flags.argument, "FILE", "a JSON report that an earlier run wrote with --json",
            kReport},
       }},
      {"What to compare",
       {
           {"--data", &request.data, "DATA",
            "labelled data: 'digits' (generated), or a path; its test split is used", kCompare},
           {"--data", &request.data, "DATA",
            "labelled data: 'digits' (generated), or a path; layers are judged on its training split, "
            "--suggest on its test split, too",
            kDebug},
           {"--plan", &flags.debug.plan, "FILE",
            "how the network is quantized (TOML), as qat-convert --write-plan writes it", kDebug},
           {"--type", &flags.debug.type, "TYPE",
            "without MODEL and --plan: uint8, int8, int8-per-tensor, int16x8 or w4a8 (default: what the "
            "network was trained for, "
            "else int8)",
            kDebug},
           {"--float", &rows.float_run, "RUN", "a run with --scheme float32: row 'float'", kCompare},
           {"--checkpoint", &rows.checkpoint, "RUN",
            "a run or a checkpoint: rows 'checkpoint' and 'simulated'", kCompare},
           {"--graph", &rows.graph, "FILE", "a frozen graph (.qgraph): row 'graph'", kCompare},
           {"--model", &rows.models, "FILE", "a .tflite model, like MODEL; can be repeated", kCompare},
           {"--select", &rows.select, "WHICH",
            "which checkpoint of a run: best, last or a step "
            "(default: the last, unless the best is better beyond chance)",
            kCompare | kInspect},
       }},
      {"What to run",
       {
           {"--model", &rows.models, "FILE", "a .tflite model, like MODEL; can be repeated", kBench},
           {"--model", &rows.models, "FILE", "the .tflite model, instead of MODEL", kClassify | kRun},
           {"--graph", &rows.graph, "FILE", "a frozen graph (.qgraph), instead of MODEL or beside it",
            kBench},
           {"--graph", &rows.graph, "FILE", "a frozen graph (.qgraph), instead of MODEL", kClassify | kRun},
           {"--image", &flags.pictures.files, "IMAGE...", "pictures, like those after MODEL", kClassify},
           {"--input", &flags.tensors.inputs, "X.npy",
            "a tensor [N, ...], a table (.csv) or a picture (PNG, JPEG, BMP); given again for each further "
            "input of the model, in its order or as NAME=X.npy",
            kRun},
           {"-o,--save-outputs", &flags.tensors.save_outputs, "Y.npy",
            "write the outputs, further ones as Y.1.npy, ..., instead of printing", kRun},
       }},
      {"Files to check, if they have moved since",
       {
           {"--graph", &rows.graph, "FILE", "the frozen graph (.qgraph)", kTrace},
           {"--checkpoint", &rows.checkpoint, "RUN", "the run, or its checkpoint", kTrace},
           {"--data", &request.data, "DATA", "the data, as for qat-train", kTrace},
       }},
  };
}

std::vector<Group> HowGroups(EvalFlags& flags) {
  EvalRequest& request = flags.request;
  return {
      {"How",
       {
           {"--limit", &request.limit, "N",
            "evaluate a sample of N images, stratified by class (default 0: all)", kCompare},
           {"--whole", &request.whole, "",
            "take all examples of data without a test split, instead of a tenth: for files that the model "
            "has not learned from",
            kCompare},
           {"--limit", &flags.debug.limit, "N", "examples to judge layers on; 0: half of the training split",
            kDebug},
           {"--calibration-limit", &flags.debug.calibration_limit, "N",
            "other examples to observe ranges on; 0: half of the training split", kDebug},
           {"--labels", &request.labels, "FILE",
            "class names, one per line, in the order of the model's outputs (default: those in the model)",
            kCompare},
           {"--judge", &request.judge, "OUTPUT",
            "of a model of others with several outputs: the one that labels are held against (default: those "
            "that have labels y_OUTPUT, else the first)",
            kCompare},
           {"--task", &flags.task, "NAME",
            "what the outputs mean: classes, yes-no, multi-label, numbers or reconstruction (default: what "
            "the model learned)",
            kCompare},
           {"--strict", &request.strict, "",
            "stop at a picture that cannot be read instead of leaving it out", kCompare},
           {"--data-cache", &request.data_cache, "MIB",
            "memory for decoded pictures; others are decoded again for every row", kCompare},
           {"--repeat", &request.repeat, "N",
            "timed rounds over the images; 0: no timing (default: 1, or two seconds with a gate of time)",
            kCompare},
           {"--repeat", &flags.bench.rounds, "N", "rounds; every model takes a turn in each", kBench},
           {"--batch", &flags.bench.batch, "N", "measure a batch of N images as well as a single image",
            kBench},
           {"--operators", &flags.bench.operators, "", "time every operator, too", kBench},
           {"--topk", &request.topk, "K,...", "top-k accuracies in report and page", kCompare},
           {"--topk", &request.topk, "K",
            "number of classes to print per picture, most likely first (default 5)", kClassify},
           {"--kernels", &flags.kernels, "fast|reference",
            "kernels to run: the fast ones or the reference ones", kModels},
           {"--profile", &flags.profile, "NAME",
            "rounding: tflite, tflite-classic or tflite-micro (docs/quantization.md)", kModels},
           {"--rounding", &request.rows.other_rounding, "",
            "compare both profiles: which labels depend on the rounding", kCompare},
           {"--litert", &request.rows.litert, "PYTHON",
            "add a row for TFLite's interpreter: auto (if found), off, or the path of a Python that has it",
            kCompare},
           {"--input-stats", &flags.input_stats, "MEAN,STD",
            "if the model does not contain it: real = (byte - MEAN) / STD", kCompare | kClassify | kDebug},
       }},
  };
}

std::vector<Group> GateGroups(EvalFlags& flags) {
  GateLimits& gates = flags.request.gates;
  return {
      {"Gates, off unless given (reference: float, else checkpoint, else graph, else the first model)",
       {
           {"--min-accuracy", &flags.min_accuracy, "[OUTPUT=]X", "minimum accuracy, in percent", kCompare},
           {"--max-drop", &flags.max_drop, "[OUTPUT=]X",
            "maximum drop of accuracy below the reference, in percentage points", kCompare},
           {"--min-balanced-accuracy", &flags.min_balanced_accuracy, "[OUTPUT=]X",
            "minimum mean of the classes' recalls, in percent", kCompare},
           {"--min-recall", &flags.min_recall, "[CLASS=]X",
            "minimum recall of each class, or of CLASS, in percent; of OUTPUT/CLASS of several outputs; can "
            "be repeated",
            kCompare},
           {"--max-rmse", &flags.max_rmse, "[N=]X",
            "maximum RMSE of all real numbers, or of number N (or its name, OUTPUT, OUTPUT/N), in their "
            "unit; can be repeated",
            kCompare},
           {"--max-error-rise", &flags.max_error_rise, "[OUTPUT=]P",
            "maximum rise of the RMSE above the reference's, in percent", kCompare},
           {"--min-auc", &flags.min_auc, "[OUTPUT=]X",
            "minimum AUC, 0 to 1: of yes-no, the mean of several labels, of anomalies by reconstruction",
            kCompare},
           {"--min-f1", &flags.min_f1, "[OUTPUT=]X",
            "minimum F1 of yes, or the mean of several labels, in percent", kCompare},
           {"--min-iou", &flags.min_iou, "[OUTPUT=]X",
            "minimum mean intersection over union of one label per pixel, in percent", kCompare},
           {"--max-flips", &flags.max_flips, "[ROW=]N",
            "maximum number of labels that differ from the reference's or ROW's; of an output as OUTPUT=N",
            kCompare},
           {"--max-size", &gates.max_size, "N", "maximum size of the file, in bytes", kCompare},
           {"--min-speedup", &flags.min_speedup, "[ROW=]X",
            "minimum ratio of our float model's median time, or ROW's, to the model's", kCompare},
           {"--max-latency", &gates.max_latency, "US", "maximum median time per image, in microseconds",
            kCompare},
           {"--max-latency-ratio", &flags.max_latency_ratio, "[ROW=]X",
            "maximum ratio of the model's median time to our float model's, or ROW's", kCompare},
           {"--significance", &gates.significance, "P",
            "excuse a drop beyond its limit if McNemar's p is above P (default 0: never)", kCompare},
           {"--baseline", &flags.request.baseline, "FILE",
            "use an earlier JSON report as the reference for accuracy and times", kCompare},
       }},
      {"Gates that are always judged",
       {
           {"--max-steps", &gates.max_steps, "N",
            "maximum difference from 'simulated' and 'litert' in output steps; -1: any (default 0)",
            kCompare},
           {"--max-changed-ranges", &gates.max_changed_ranges, "N",
            "maximum number of outputs whose scale differs from training's; -1: any (default 0)", kCompare},
           {"--max-layer-loss", &gates.max_layer_loss, "DB",
            "with --baseline: maximum loss by a layer's own rounding, in decibels; -1: any (default 6)",
            kCompare},
       }},
  };
}

std::vector<Group> OutputGroups(EvalFlags& flags) {
  return {
      {"Repair",
       {
           {"--suggest", &flags.debug.suggest, "OUT.toml",
            "write the plan with the fewest edits that keeps to --max-drop, for qat-convert --plan", kDebug},
           {"--max-drop", &flags.debug.max_drop, "X",
            "with --suggest: maximum drop of accuracy below the float network, in percentage points", kDebug},
           {"--max-error-rise", &flags.debug.max_error_rise, "P",
            "with --suggest, of real numbers: maximum rise of the RMSE, in percent", kDebug},
           {"--reproducer", &flags.debug.reproducer, "DIR",
            "write the most harmful layer as a model of its own (layer.tflite), with input.npy, "
            "output.npy and, in float, expected.npy",
            kDebug},
           {"--layer", &flags.debug.layer, "NAME", "with --reproducer: this layer instead", kDebug},
       }},
      {"Results",
       {
           {"--details", &flags.details, "", "print every row, pairs, classes and layers, too",
            kCompare | kReport},
           {"--details", &flags.details, "", "print every layer, not only the ten most harmful", kDebug},
           {"--details", &flags.details, "", "print every tensor, too", kInspect},
           {"--diff", &flags.diff, "", "print the differences between two files; exit code 0: none, 1: some",
            kInspect},
           {"--dot", &flags.dot, "FILE", "write the graph for Graphviz: 'dot -Tsvg FILE' draws it", kInspect},
           {"--spec", &flags.spec, "FILE",
            "write the network as a spec (TOML), which qat-train --network takes", kInspect},
           {"--html", &flags.html, "FILE", "write an HTML page: table, curves, layers, images that differ",
            kCompare | kReport},
           {"--html", &flags.html, "FILE", "write an HTML page: times, memory, operators", kBench},
           {"--html", &flags.html, "FILE", "write an HTML page: every step with its whole hashes", kTrace},
           {"--predictions", &flags.predictions, "FILE", "write the label of each image and row as CSV",
            kCompare},
           {"--junit", &flags.junit, "FILE", "write the gates as JUnit XML", kCompare},
           {"--junit", &flags.junit, "FILE", "write the times as JUnit XML, a case per model and batch size",
            kBench},
           {"--junit", &flags.junit, "FILE", "write the steps as JUnit XML; one that differs is a failure",
            kTrace},
           {"--junit", &flags.junit, "FILE", "write gates, steps or times as JUnit XML", kReport},
           {"--markdown", &flags.markdown, "FILE", "write a job summary as Markdown", kReports},
           {"--benchmark-json", &flags.benchmark_json, "FILE",
            "write the results in the format of github-action-benchmark", kCompare | kBench | kReport},
           {"--schema", &flags.schema, "", "print the JSON Schema of reports and stop", kReport},
       }},
  };
}

Status ParseInterpreterOptions(EvalFlags& flags) {
  InterpreterOptions& options = flags.request.rows.interpreter;
  if (flags.kernels != "reference" && flags.kernels != "fast") {
    return InvalidArgument(StrCat("--kernels: value '", flags.kernels, "', expected reference or fast"));
  }
  if (flags.profile != "tflite" && flags.profile != "tflite-classic" && flags.profile != "tflite-micro") {
    return InvalidArgument(
        StrCat("--profile: value '", flags.profile, "', expected tflite, tflite-classic or tflite-micro"));
  }
  options.kernels = flags.kernels == "fast" ? KernelSet::kFast : KernelSet::kReference;
  options.profile = flags.profile == "tflite"           ? ArithmeticProfile::kTflite
                    : flags.profile == "tflite-classic" ? ArithmeticProfile::kTfliteClassic
                                                        : ArithmeticProfile::kTfliteMicro;
  return {};
}

// One unless asked for: what latencies of one image are compared at.
Status ParseThreads(EvalFlags& flags, Tool& tool) {
  if (!tool.Given("--threads")) return {};
  const int32_t threads = tool.flags().threads;
  const auto cores = static_cast<int32_t>(std::thread::hardware_concurrency());
  flags.request.rows.interpreter.threads = threads == 0 ? std::max(cores, 1) : threads;
  if (threads <= ThreadPool::kMaxThreads) return {};
  return InvalidArgument(
      StrCat("--threads: value ", threads, ", expected at most ", ThreadPool::kMaxThreads));
}

Status ParseTask(EvalFlags& flags) {
  const std::optional<Task> task = TaskFromName(flags.task);
  if (!task)
    return InvalidArgument(StrCat("--task: value '", flags.task, "', expected one of ", Join(TaskNames())));
  flags.request.task = *task;
  return {};
}

Status ParseInputStats(EvalFlags& flags) {
  if (flags.input_stats.empty()) return {};
  if (flags.input_stats == "none") {
    flags.request.rows.input_stats = InputStats{0, 1, true};
    return {};
  }
  QAT_ASSIGN_OR_RETURN(const auto pair, ParseStats("--input-stats", flags.input_stats));
  flags.request.rows.input_stats = InputStats{static_cast<float>(pair[0]), static_cast<float>(pair[1])};
  return {};
}

// Limits that may name what they are for.
Status ParseGates(EvalFlags& flags) {
  GateLimits& gates = flags.request.gates;
  if (!flags.max_flips.empty()) QAT_RETURN_IF_ERROR(ParseMaxFlips(flags.max_flips, gates));
  if (!flags.min_speedup.empty()) QAT_RETURN_IF_ERROR(ParseMinSpeedup(flags.min_speedup, gates));
  if (!flags.max_latency_ratio.empty())
    QAT_RETURN_IF_ERROR(ParseMaxLatencyRatio(flags.max_latency_ratio, gates));
  const std::pair<const char*, const std::vector<std::string>*> answers[] = {
      {"min_accuracy", &flags.min_accuracy},
      {"max_drop", &flags.max_drop},
      {"min_balanced_accuracy", &flags.min_balanced_accuracy},
      {"max_error_rise", &flags.max_error_rise},
      {"min_auc", &flags.min_auc},
      {"min_f1", &flags.min_f1},
      {"min_iou", &flags.min_iou}};
  for (const auto& [field, texts] : answers) {
    for (const std::string& text : *texts) QAT_RETURN_IF_ERROR(ParseAnswerLimit(field, text, gates));
  }
  for (const std::string& text : flags.min_recall) QAT_RETURN_IF_ERROR(ParseMinRecall(text, gates));
  for (const std::string& text : flags.max_rmse) QAT_RETURN_IF_ERROR(ParseMaxRmse(text, gates));
  return {};
}

// Each output by its name, and standard output for one of them at most.
Status CheckOutputs(const EvalFlags& flags, const CommonFlags& common) {
  int taken = common.json == "-" ? 1 : 0;
  for (const EvalOutput& output : flags.Outputs()) {
    QAT_RETURN_IF_ERROR(CheckOutputName(output.format, output.path));
    taken += output.path == "-";
  }
  if (taken <= 1) return {};
  return InvalidArgument("more than one output is '-': standard output can carry only one");
}

}  // namespace

std::vector<EvalOutput> EvalFlags::Outputs() const {
  static constexpr std::array<std::string_view, 2> kPage = {".html", ".htm"};
  static constexpr std::array<std::string_view, 1> kCsv = {".csv"}, kXml = {".xml"}, kMarkdown = {".md"},
                                                   kJson = {".json"}, kToml = {".toml"}, kDot = {".dot"},
                                                   kArray = {".npy"};
  return {{{"--html", "an HTML page", kPage}, html},
          {{"--predictions", "CSV", kCsv}, predictions},
          {{"--junit", "XML", kXml}, junit},
          {{"--markdown", "Markdown", kMarkdown}, markdown},
          {{"--benchmark-json", "JSON", kJson}, benchmark_json},
          {{"--dot", "a Graphviz graph", kDot}, dot},
          {{"--spec", "a network spec", kToml}, spec},
          {{"--save-outputs", "a NumPy array", kArray}, tensors.save_outputs},
          {{"--suggest", "a plan", kToml}, debug.suggest}};
}

void AddEvalFlags(Tool& tool, Command& command, EvalCommand bit, EvalFlags& flags) {
  for (const auto& groups : {InputGroups(flags), HowGroups(flags), GateGroups(flags), OutputGroups(flags)})
    for (const Group& group : groups) AddFlags(command, bit, group.title, group.rows);
  if ((bit & kModels) != 0)
    tool.AddThreads(command, "How", "threads that run models; 0: all cores (default 1)");
  if ((bit & (kCompare | kBench | kDebug)) != 0) {
    tool.AddSeed(command, "How",
                 bit == kBench   ? "random seed of the inputs"
                 : bit == kDebug ? "random seed of samples"
                                 : "random seed of samples and interval estimates");
  }
  command.choices["--profile"] = {"tflite", "tflite-classic", "tflite-micro"};
  command.choices["--task"] = TaskNames();
  command.choices["--litert"] = {"auto", "off"};
  command.fields = {
      {"models", "--model"}, {"float_run", "--float"}, {"run", "--checkpoint"}, {"rounds", "--repeat"}};
}

void DeclareFiles(const EvalFlags& flags, FileUse& use) {
  const RowRequest& rows = flags.request.rows;
  use.ReadRun("--float", rows.float_run);
  use.ReadRun("--checkpoint", rows.checkpoint);
  use.Read("--graph", rows.graph);
  for (const std::string& model : rows.models) use.Read("--model", model);
  for (const std::string& argument : flags.arguments) use.Read("the command", argument);
  use.Read("the command", flags.argument);
  if (flags.request.data != "digits") use.Read("--data", flags.request.data);
  use.Read("--baseline", flags.request.baseline);
  use.Read("--plan", flags.debug.plan);
  if (!flags.debug.reproducer.empty()) {
    for (const char* name : {"layer.tflite", "input.npy", "output.npy", "expected.npy"})
      use.Write("--reproducer", JoinPath(flags.debug.reproducer, name));
  }
  for (const std::string& input : flags.tensors.inputs) use.Read("--input", PathOfInput(input));
  for (const std::string& image : flags.pictures.files) use.Read("--image", image);
  for (const EvalOutput& output : flags.Outputs()) use.Write(std::string(output.format.flag), output.path);
}

Status CheckEvalOutputs(const EvalFlags& flags, Tool& tool) { return CheckOutputs(flags, tool.flags()); }

Status ApplyEvalFlags(EvalFlags& flags, Tool& tool) {
  QAT_RETURN_IF_ERROR(CheckEvalOutputs(flags, tool));
  QAT_RETURN_IF_ERROR(ParseInterpreterOptions(flags));
  QAT_RETURN_IF_ERROR(ParseThreads(flags, tool));
  QAT_RETURN_IF_ERROR(ParseInputStats(flags));
  QAT_RETURN_IF_ERROR(ParseTask(flags));
  QAT_RETURN_IF_ERROR(ParseGates(flags));
  flags.request.seed = flags.bench.seed = tool.flags().seed;
  return {};
}

}  // namespace qat
