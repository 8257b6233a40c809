// The command debug: which layers quantization harms, and the smallest edit of a plan that repairs them.
#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "base/join_some.h"
#include "base/log.h"
#include "base/printable.h"
#include "base/strings.h"
#include "calibrate/calibrate.h"
#include "commands.h"
#include "debug/converted.h"
#include "debug/diagnosis.h"
#include "debug/print.h"
#include "debug/reproducer.h"
#include "debug/suggest.h"
#include "import/read_network.h"
#include "import/real_input.h"
#include "ir/range_groups.h"
#include "ir/separate_biases.h"
#include "passes/passes.h"
#include "results.h"
#include "runtime/runnable_model.h"
#include "stage_progress.h"

namespace qat {
namespace {

Status CheckDebugFlags(const EvalFlags& flags) {
  const DebugFlags& debug = flags.debug;
  if (flags.arguments.empty())
    return InvalidArgument("expected a network of real numbers (.qgraph, .tflite, .onnx) to debug");
  if (flags.arguments.size() > 2)
    return InvalidArgument(
        StrCat(flags.arguments.size(),
               " files are given, expected a network, and perhaps a model converted from it"));
  if (flags.arguments.size() == 2 && !debug.plan.empty())
    return InvalidArgument(
        "--plan: says how the network is quantized, and so does MODEL; expected one of them");
  if (!debug.type.empty() && (flags.arguments.size() == 2 || !debug.plan.empty()))
    return InvalidArgument("--type: the model or the plan says it; leave it out");
  if (flags.request.data.empty())
    return InvalidArgument("`data` is missing: give 'digits' or a path of labelled data");
  for (const auto& [flag, value] :
       {std::pair("--limit", debug.limit), std::pair("--calibration-limit", debug.calibration_limit)}) {
    if (value < 0) return InvalidArgument(StrCat(flag, ": value ", value, ", expected 0 or more"));
  }
  if (debug.suggest.empty() && (debug.max_drop || debug.max_error_rise))
    return InvalidArgument(
        "--max-drop and --max-error-rise: limit what --suggest may lose, expected --suggest OUT.toml too");
  if (!debug.suggest.empty() && !debug.max_drop && !debug.max_error_rise)
    return InvalidArgument(
        "--suggest: expected --max-drop X, the points of accuracy that may be lost (of real numbers "
        "--max-error-rise P)");
  if (!debug.layer.empty() && debug.reproducer.empty())
    return InvalidArgument("--layer: chooses what --reproducer cuts out, expected --reproducer DIR too");
  for (const auto& limit : {debug.max_drop, debug.max_error_rise}) {
    if (limit && !(*limit >= 0))
      return InvalidArgument(
          StrCat("--max-drop and --max-error-rise: value ", *limit, ", expected 0 or more"));
  }
  return {};
}

Expected<ReadNetworkResult> ReadFloatNetwork(const EvalFlags& flags) {
  ReadNetworkOptions options;
  if (const auto& stats = flags.request.rows.input_stats) {
    options.mean = {stats->mean};
    options.std = {stats->std};
  }
  std::vector<std::string> notes;
  QAT_ASSIGN_OR_RETURN(ReadNetworkResult network, ReadNetwork(flags.arguments[0], options, notes));
  for (const std::string& note : notes) LogInfo(StrCat(flags.arguments[0], ": ", note));
  SeparateBiases(network.graph);
  return network;
}

/// Of several outputs whose meanings nobody knows the first is judged, by the labels of its name where the
/// data have such.
Expected<Dataset> OpenFirstOutput(const std::string& data, const std::string& output, Split split,
                                  const OpenOptions& options) {
  OpenOptions named = options;
  named.label = output;
  named.outputs = {{output, "", options.class_names, options.task}};
  Expected<Dataset> dataset = OpenDataset(data, split, named);
  if (dataset.ok()) return dataset;
  dataset = OpenDataset(data, split, options);
  if (dataset.ok()) return dataset;
  Error error = std::move(dataset).error();
  error.message += StrCat("; labels of the first output, which is judged, would be called y_", output);
  return error;
}

bool KnowsItsOutputs(const Contract& contract) {
  return std::any_of(contract.outputs.begin(), contract.outputs.end(),
                     [](const OutputContract& output) { return output.task != Task::kUnknown; });
}

/// `open_inputs`: of these the data decide whether bytes or real numbers go in.
Expected<Dataset> OpenSplit(const EvalFlags& flags, const Graph& graph, Split split, int64_t limit,
                            const WorkHooks& hooks, const std::vector<bool>& open_inputs = {}) {
  const Contract& contract = graph.contract;
  OpenOptions options;
  options.limit = limit;
  options.seed = flags.request.seed;
  SetInputs(contract, options);
  LeaveValuesOpen(open_inputs, options);
  options.class_names = contract.labels();
  options.label_indices = contract.labels().empty();
  SetOutputs(contract, options);
  if (contract.outputs.size() == 1 && contract.outputs.front().task != Task::kUnknown)
    options.task = contract.outputs.front().task;
  options.hooks = hooks;
  const bool first = graph.outputs.size() > 1 && !KnowsItsOutputs(contract);
  if (first) options.outputs.clear();
  QAT_ASSIGN_OR_RETURN_IN(
      "`data`", Dataset dataset,
      first ? OpenFirstOutput(flags.request.data, graph.tensor(graph.outputs[0]).name, split, options)
            : OpenDataset(flags.request.data, split, options));
  if (dataset.task == Task::kReconstruction) QAT_RETURN_IF_ERROR(FillTargets(dataset));
  if (dataset.size() == 0) return Corrupt(StrCat(dataset.name, ": holds no examples, expected at least one"));
  return dataset;
}

/// Ranges that neither the network nor the choices have, as qat-convert --calibrate finds them.
Status CalibrateRest(const DebugData& data, const WorkHooks& hooks, Graph graph, PlanChoices& choices,
                     std::vector<std::string>& warnings) {
  QAT_RETURN_IF_ERROR(EqualizeNamed(choices.equalize, graph));
  PartLayers(choices, graph);
  QAT_RETURN_IF_ERROR(
      Calibrate(data.calibration, {.precisions = choices.precisions}, hooks, graph, warnings));
  CollectRanges(graph, choices);
  return {};
}

bool HasRanges(const Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const GraphNode& node) {
    return node.definition().output_quantization == OutputQuantization::kOwnRange &&
           graph.tensor(node.outputs[0]).has_range;
  });
}

/// A model of integers has ranges, but none where it computes real numbers.
Expected<Converted> ConvertNetwork(const Graph& network, const PlanChoices& choices, const OwnIntegers& own,
                                   std::vector<std::string>& warnings) {
  Expected<Converted> converted = Convert(network, choices, warnings, own);
  if (converted.ok() || converted.error().code != ErrorCode::kUnsupported || !HasRanges(network))
    return converted;
  return Unsupported(
      "is a model of integers without the ranges of some layers, expected the float network that it was made "
      "from, and the model, "
      "if any, as the second file");
}

/// The model that the network was converted to; null: none is given.
Expected<std::shared_ptr<const Model>> ModelAsAsked(const EvalFlags& flags) {
  if (flags.arguments.size() < 2) return std::shared_ptr<const Model>();
  return LoadRunnable(flags.arguments[1]);
}

/// How the network is quantized: as the model has it, the plan says, or the type.
Expected<PlanChoices> ChoicesAsAsked(const EvalFlags& flags, const Graph& network, const Model* model) {
  if (model != nullptr) return ChoicesOfModel(network, *model);
  if (!flags.debug.plan.empty()) {
    QAT_ASSIGN_OR_RETURN_IN("--plan", const std::string text, ReadTextFile(flags.debug.plan));
    QAT_ASSIGN_OR_RETURN(PlanChoices choices, ReadPlan(text, flags.debug.plan));
    QAT_RETURN_IF_ERROR_IN(flags.debug.plan, CheckChoices(choices, network));
    return choices;
  }
  const std::string trained = network.scheme == "float32" || network.scheme.empty() ? "int8" : network.scheme;
  const std::string type = flags.debug.type.empty() ? trained : LowerCase(flags.debug.type);
  const auto precisions = IntegersFromName(type);
  if (!precisions)
    return InvalidArgument(
        StrCat("--type: value '", flags.debug.type, "', expected one of ", IntegerNames()));
  PlanChoices choices;
  choices.precisions = *precisions;
  return choices;
}

/// What is examined has to be the model that was given.
Status CheckItIsTheModel(const EvalFlags& flags, const Converted& converted, const OwnIntegers& own,
                         const Model& model) {
  if (!own.why_not.empty()) {
    LogWarning(StrCat(flags.arguments[1], ": the model's own filters could not be taken: ", own.why_not,
                      "; what is examined is the network converted afresh with its ranges and types"));
    return {};
  }
  QAT_ASSIGN_OR_RETURN(const auto made, RunnableFromBytes(converted.model, "converted"));
  const std::string difference = DifferenceFromModel(*made, model);
  if (!difference.empty())
    LogWarning(
        StrCat(flags.arguments[1], ": what is examined is not quite this model: ", difference, " there"));
  return {};
}

Expected<const LayerDiagnosis*> LayerToCut(const EvalFlags& flags, const Diagnosis& diagnosis) {
  std::vector<std::string> names;
  for (const size_t place : diagnosis.ranking) {
    const LayerDiagnosis& layer = diagnosis.layers[place];
    if (layer.layer.node < 0) continue;
    if (flags.debug.layer.empty() || flags.debug.layer == layer.layer.name) return &layer;
    names.push_back(layer.layer.name);
  }
  return InvalidArgument(StrCat("--layer: ", UnknownName("layer", flags.debug.layer, names),
                                ", expected one of: ", JoinSome(names, 12)));
}

Status WriteReproducer(const EvalFlags& flags, const Diagnosis& diagnosis, const Converted& converted,
                       const Dataset& selection, Report& report) {
  const std::string& folder = flags.debug.reproducer;
  if (folder.empty()) return {};
  QAT_ASSIGN_OR_RETURN(const LayerDiagnosis* layer, LayerToCut(flags, diagnosis));
  QAT_ASSIGN_OR_RETURN(const auto files, CutOut(converted, layer->layer, selection));
  for (const ReproducerFile& file : files)
    QAT_RETURN_IF_ERROR_IN("--reproducer", WriteFile(JoinPath(folder, file.name), file.bytes));
  report.outputs["reproducer"] = folder;
  return {};
}

/// The edited network on the test split, which nothing was chosen on.
Status VerifyOnTest(const EvalFlags& flags, const Graph& network, const OwnIntegers& own,
                    const Suggestion& suggestion, const WorkHooks& hooks, DebugSummary& summary) {
  std::vector<std::string> none;
  QAT_ASSIGN_OR_RETURN(const Converted edited, Convert(network, suggestion.choices, none, own));
  QAT_ASSIGN_OR_RETURN(const Dataset test, OpenSplit(flags, network, Split::kTest, 0, hooks));
  QAT_ASSIGN_OR_RETURN(const auto real, PredictorOf(network, "float"));
  QAT_ASSIGN_OR_RETURN(const auto quantized, PredictorOf(edited, "edited"));
  QAT_ASSIGN_OR_RETURN(const Quality a, MeasureQuality(*real, test, hooks));
  QAT_ASSIGN_OR_RETURN(const Quality b, MeasureQuality(*quantized, test, hooks));
  summary.test_reference = a.value;
  summary.test_edited = b.value;
  summary.test_loss = LossOf(a, b);
  summary.test_examples = test.size();
  return {};
}

Status CheckLimitFits(const EvalFlags& flags, Task task) {
  if (flags.debug.suggest.empty()) return {};
  if (IsOfNumbers(task) && !flags.debug.max_error_rise)
    return InvalidArgument(
        "--max-drop: judges classes, but the labels are real numbers: give --max-error-rise");
  if (!IsOfNumbers(task) && !flags.debug.max_drop)
    return InvalidArgument(
        "--max-error-rise: judges real numbers, but the labels are classes: give --max-drop");
  return {};
}

/// Nobody said what a byte means.
bool GuessesBytes(const EvalFlags& flags, const ReadNetworkResult& read) {
  return read.assumed_bytes && !flags.request.rows.input_stats &&
         read.graph.contract.input().values != ValueType::kReal;
}

/// Where the network itself answers nothing, what quantization does to it cannot be seen.
void WarnOfWorthless(const EvalFlags& flags, const ReadNetworkResult& read, const Quality& reference) {
  if (reference.worthless.empty()) return;
  const std::string why =
      GuessesBytes(flags, read)
          ? "a byte probably means something else than real = byte to it, give `input_stats` MEAN,STD"
          : "expected the data and labels that it was made for";
  LogWarning(StrCat(flags.arguments[0], ": the answers of the float network itself are ", reference.worthless,
                    ", so neither this analysis nor a plan made of it says anything about quantization; ",
                    why));
}

Status SuggestAsAsked(const EvalFlags& flags, const Graph& network, const OwnIntegers& own,
                      const PlanChoices& choices, const DebugData& data, const WorkHooks& hooks,
                      std::optional<OutputFile>& output, DebugSummary& summary,
                      std::optional<Suggestion>& suggestion, Report& report) {
  if (flags.debug.suggest.empty()) return {};
  summary.max_loss =
      summary.diagnosis->reference.of_numbers ? *flags.debug.max_error_rise : *flags.debug.max_drop;
  QAT_ASSIGN_OR_RETURN(suggestion,
                       Suggest(network, choices, *summary.diagnosis, data, summary.max_loss, hooks, own));
  summary.suggestion = &*suggestion;
  if (!suggestion->met) {
    report.status = "gate-failed";
    return {};
  }
  QAT_RETURN_IF_ERROR(VerifyOnTest(flags, network, own, *suggestion, hooks, summary));
  if (summary.test_loss > summary.max_loss) report.status = "gate-failed";
  summary.plan_path = flags.debug.suggest;
  if (own.repaired)
    LogInfo(StrCat(summary.plan_path,
                   ": holds ranges and types, not how filters were rounded or what biases moved: give "
                   "qat-convert --repair again, "
                   "as for ",
                   flags.arguments[1]));
  return Commit("plan", output, suggestion->plan, report);
}

}  // namespace

Status RunDebug(EvalFlags& flags, Tool& tool, Report& report) {
  flags.request.seed = tool.flags().seed;
  QAT_RETURN_IF_ERROR(ApplyEvalFlags(flags, tool));
  QAT_RETURN_IF_ERROR(CheckDebugFlags(flags));
  std::optional<OutputFile> plan;
  QAT_RETURN_IF_ERROR(OpenOutput("--suggest", flags.debug.suggest, plan));
  OutputFolder reproducer;
  if (!flags.debug.reproducer.empty()) {
    QAT_ASSIGN_OR_RETURN_IN("--reproducer", reproducer, OutputFolder::Make(flags.debug.reproducer));
  }
  StageProgress progress(tool.flags().ProgressStyle());
  const WorkHooks hooks = progress.Hooks();
  QAT_ASSIGN_OR_RETURN(ReadNetworkResult read, ReadFloatNetwork(flags));
  Graph& network = read.graph;
  if (network.outputs.size() > 1) {
    LogInfo(StrCat("of the ", network.outputs.size(), " outputs, the answers of the first, '",
                   network.tensor(network.outputs[0]).name, "', are judged"));
  }
  const bool all = flags.debug.limit == 0 || flags.debug.calibration_limit == 0;
  QAT_ASSIGN_OR_RETURN(
      const Dataset training,
      OpenSplit(flags, network, Split::kTrain, all ? 0 : flags.debug.limit + flags.debug.calibration_limit,
                hooks, read.open_inputs));
  QAT_RETURN_IF_ERROR(CheckLimitFits(flags, training.task));
  std::vector<std::string> notes;
  TakeValuesOfData(training, read.open_inputs, read.named_inputs, network, notes);
  if (!HasRanges(network)) TakeInputNormalizations(network, notes);
  for (const std::string& note : notes) LogInfo(note);
  if (GuessesBytes(flags, read))
    LogInfo(StrCat(flags.arguments[0],
                   ": `input_stats` MEAN,STD says what a byte means to it "
                   "(127.5,127.5 for values of -1 to 1; 0,255 for 0 to 1)"));
  QAT_ASSIGN_OR_RETURN(const DebugData data, SplitForDebugging(training, flags.debug.calibration_limit,
                                                               flags.debug.limit, flags.request.seed));
  std::vector<std::string> warnings;
  QAT_ASSIGN_OR_RETURN(const std::shared_ptr<const Model> model, ModelAsAsked(flags));
  QAT_ASSIGN_OR_RETURN(PlanChoices choices, ChoicesAsAsked(flags, network, model.get()));
  const OwnIntegers own = model ? OwnIntegersOf(network, *model) : OwnIntegers();
  if (!HasRanges(network))
    QAT_RETURN_IF_ERROR_IN(flags.arguments[0], CalibrateRest(data, hooks, network, choices, warnings));
  QAT_ASSIGN_OR_RETURN_IN(flags.arguments[0], const Converted converted,
                          ConvertNetwork(network, choices, own, warnings));
  for (const std::string& warning : warnings) LogWarning(warning);
  if (model) QAT_RETURN_IF_ERROR(CheckItIsTheModel(flags, converted, own, *model));
  CollectRanges(converted.real, choices);
  QAT_ASSIGN_OR_RETURN(const auto observed, Observe(converted.real, data.calibration, hooks));
  QAT_ASSIGN_OR_RETURN(const Diagnosis diagnosis, Diagnose(converted, observed, data.selection, hooks));
  WarnOfWorthless(flags, read, diagnosis.reference);
  DebugSummary summary;
  summary.data = training.name;
  summary.calibration = data.calibration.size();
  summary.selection = data.selection.size();
  summary.diagnosis = &diagnosis;
  std::optional<Suggestion> suggestion;
  QAT_RETURN_IF_ERROR(
      SuggestAsAsked(flags, network, own, choices, data, hooks, plan, summary, suggestion, report));
  QAT_RETURN_IF_ERROR(WriteReproducer(flags, diagnosis, converted, data.selection, report));
  summary.reproducer = flags.debug.reproducer;
  progress.Finish();
  tool.SetJson(DebugJson(summary));
  tool.Print(PrintableLines(DebugText(summary, flags.details)));
  return {};
}

}  // namespace qat
