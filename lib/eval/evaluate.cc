#include "eval/evaluate.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/strings.h"
#include "contract/provenance.h"
#include "data/class_names.h"
#include "data/dataset.h"
#include "eval/accuracy.h"
#include "eval/blame.h"
#include "eval/cut_off.h"
#include "eval/environment.h"
#include "eval/flipped.h"
#include "eval/judged_outputs.h"
#include "eval/labels.h"
#include "eval/latency.h"
#include "eval/look_inside.h"
#include "eval/measure_answers.h"
#include "eval/output_limits.h"
#include "eval/pairs.h"
#include "eval/predictions_csv.h"
#include "eval/proof.h"
#include "eval/regression.h"
#include "eval/remarks.h"
#include "eval/run_curves.h"
#include "eval/time_ratio.h"
#include "report/main_rows.h"
#include "report/text_format.h"

namespace qat {
namespace {

constexpr double kSecondsForAGate = 2;

// A model of others that gives one score.
bool HasOneOutput(const Rows& rows) {
  return std::all_of(rows.rows.begin(), rows.rows.end(), [](const Row& row) {
    if (row.model == nullptr) return false;
    const Shape& shape = row.model->tensors()[static_cast<size_t>(row.model->outputs()[0])].shape;
    return !shape.empty() && shape.back() == 1 && FlatSize(shape) == 1;
  });
}

// What labels are, where someone says it: the user, or a model that knows what it learned.
Task TaskOf(const EvalRequest& request, const Rows& rows) {
  if (request.task != Task::kAuto) return request.task;
  for (const Row& row : rows.rows) {
    const auto& outputs = row.predictor->contract().outputs;
    if (!outputs.empty() && outputs.front().task != Task::kUnknown) return outputs.front().task;
  }
  for (const Row& row : rows.rows) {
    const auto found = row.result.provenance.find(kTaskKey);
    if (found != row.result.provenance.end()) return TaskFromName(found->second).value_or(Task::kAuto);
  }
  return rows.rows.front().predictor->contract().labels().empty() ? Task::kAuto : Task::kClasses;
}

// Those that the user gives, else those in the model; empty: nobody knows.
Expected<std::vector<std::string>> ClassNamesOf(const EvalRequest& request, const Rows& rows) {
  const std::vector<std::string>& own = rows.rows.front().predictor->contract().labels();
  if (request.labels.empty()) return own;
  QAT_ASSIGN_OR_RETURN(std::vector<std::string> names, ReadClassNames(request.labels));
  if (own.empty() || names.size() == own.size()) return names;
  return InvalidArgument(StrCat("`labels`: ", request.labels, " has ", names.size(), " names, one per line, ",
                                rows.rows.front().result.name, " has ", own.size(),
                                " classes; expected a name for each"));
}

// The test split as the models take it: pictures fitted to the input, labels in the order of the class names
// inside.
Expected<Dataset> OpenData(const EvalRequest& request, const std::vector<std::string>& class_names,
                           const WorkHooks& hooks, Rows& rows) {
  const Contract contract = rows.rows.front().predictor->contract();
  OpenOptions options;
  options.limit = request.limit;
  options.whole = request.whole;
  SetInputs(contract, options);
  const auto& outputs = contract.outputs;
  SetOutputs(contract, options);
  options.seed = request.seed;
  options.class_names = class_names;
  options.label_indices = class_names.empty();
  options.task = TaskOf(request, rows);
  if (outputs.size() > 1) {
    options.label_indices = false;
    options.task = Task::kAuto;
    if (request.task != Task::kAuto && request.judge.empty()) {
      return InvalidArgument(StrCat("`task`: is what one output means, and the model has ", outputs.size(),
                                    ", which know their tasks: leave it out"));
    }
    // Those of a file are the classes of the first output.
    if (!request.labels.empty()) options.outputs[0].class_names = class_names;
  }
  options.strict = request.strict;
  options.cache_bytes = request.data_cache << 20;
  options.hooks = hooks;
  QAT_ASSIGN_OR_RETURN(Dataset dataset, OpenJudged(request.data, options, request.judge, rows));
  if (dataset.task == Task::kClasses && options.task == Task::kAuto && dataset.class_names.size() == 2 &&
      HasOneOutput(rows)) {
    dataset.task = Task::kYesNo;
    dataset.notes.push_back(
        "labels are of two classes and the model has one output: it is yes or no (`task` numbers judges it "
        "as a number)");
  }
  if (dataset.task == Task::kReconstruction) QAT_RETURN_IF_ERROR(FillTargets(dataset));
  return dataset;
}

/// By one example, whatever a network takes.
bool HoldsReals(const std::string& data) {
  OpenOptions options;
  options.limit = 1;
  options.unlabelled = true;
  const auto dataset = OpenDataset(data, Split::kTest, options);
  return dataset.ok() && dataset->inputs.size() == 1 && dataset->input().values == ValueType::kReal;
}

Status DescribeData(const Dataset& dataset, Report& report) {
  report.data_name = dataset.name;
  report.data_examples = dataset.size();
  QAT_ASSIGN_OR_RETURN(report.data_sha256, Fingerprint(dataset));
  report.data_total = std::max(dataset.available, dataset.size());
  report.data_are_images = dataset.HoldsImages();
  report.data_notes = dataset.notes;
  for (const std::string& warning : SplitText(dataset.warning, '\n')) {
    if (!warning.empty()) report.warnings.push_back(warning);
  }
  return {};
}

Expected<std::optional<Report>> ReadBaseline(const std::string& path) {
  if (path.empty()) return std::optional<Report>();
  QAT_ASSIGN_OR_RETURN_IN("`baseline`", const std::string text, ReadTextFile(path, kLargestLog));
  QAT_ASSIGN_OR_RETURN_IN("`baseline`", Report report, ParseReport(text, path));
  return std::optional<Report>(std::move(report));
}

// A gate would hold the answers to some examples against the answers to others.
Status CheckBaselineData(const EvalRequest& request, const Report& baseline, Report& report) {
  if (baseline.data_sha256.empty() || baseline.data_sha256 == report.data_sha256) return {};
  const std::string what =
      StrCat("was measured on other data (", baseline.data_name, ", ", baseline.data_examples,
             " examples) than this report (", report.data_name, ", ", report.data_examples, ")");
  if (request.gates.max_drop || request.gates.max_error_rise)
    return InvalidArgument(
        StrCat("`baseline`: ", request.baseline, " ", what,
               ", so `max_drop` and `max_error_rise` would say nothing; measure it again on "
               "these (`json`)"));
  report.warnings.push_back(StrCat(request.baseline, ": ", what));
  return {};
}

Status WarnOfCutOffInputs(const Dataset& dataset, const Rows& rows, Report& report) {
  for (const Row& row : rows.rows) {
    if (!row.listed || row.model == nullptr || row.result.kind != "tflite" || ComputesInFloat(row.result))
      continue;
    QAT_ASSIGN_OR_RETURN(std::vector<std::string> sentences,
                         DescribeCutOff(*row.model, row.result.name, row.predictor->contract(), dataset));
    for (std::string& sentence : sentences) report.warnings.push_back(std::move(sentence));
  }
  return {};
}

Status Answer(const Dataset& dataset, const WorkHooks& hooks, Rows& rows) {
  for (const Row& row : rows.rows) QAT_RETURN_IF_ERROR(CheckContract(*row.predictor, dataset));
  for (Row& row : rows.rows) {
    QAT_ASSIGN_OR_RETURN(row.predictions, PredictAll(*row.predictor, dataset, hooks));
  }
  return {};
}

LatencyOptions LatencyOptionsOf(const EvalRequest& request) {
  LatencyOptions options;
  options.rounds = request.repeat.value_or(1);
  // A gate is to tell a difference from noise; where nobody said how many rounds, it gets as many as that
  // takes.
  if (!request.repeat && request.gates.NeedsTimes()) options.least_seconds = kSecondsForAGate;
  options.most_rounds = kMostRounds;
  options.one_thread = request.rows.interpreter.threads == 1;
  options.seed = request.seed;
  return options;
}

void WarnOfABusyMachine(const TimingConditions& timing, Report& report) {
  if (!timing.quiet())
    report.warnings.push_back(
        "times were measured on a busy machine; ratios within one run are more reliable than microseconds");
}

Status MeasureLatencies(const EvalRequest& request, Rows& rows, const Dataset& dataset,
                        const WorkHooks& hooks, Report& report) {
  if (request.repeat == 0) return {};
  std::vector<Predictor*> predictors;
  std::vector<Row*> timed;
  for (Row& row : rows.rows) {
    if (!row.timed()) continue;
    predictors.push_back(row.predictor.get());
    timed.push_back(&row);
  }
  if (timed.empty()) return {};
  QAT_ASSIGN_OR_RETURN(LatencyMeasurement measured,
                       MeasureLatency(predictors, dataset, LatencyOptionsOf(request), hooks));
  for (size_t i = 0; i < timed.size(); ++i) {
    timed[i]->result.latency_us = measured.results[i];
    timed[i]->turns = std::move(measured.turns[i]);
  }
  report.timing = measured.conditions;
  WarnOfABusyMachine(measured.conditions, report);
  return {};
}

const Row* RowNamed(const Rows& rows, std::string_view name) {
  for (const Row& row : rows.rows) {
    if (row.result.name == name) return &row;
  }
  return nullptr;
}

void CompareTimes(const Row& a, const Row& b, uint64_t seed, PairResult& pair) {
  if (a.turns.empty() || a.turns.size() != b.turns.size()) return;
  const TimeRatio speedup = RatioOfTurns(b.turns, a.turns, seed);
  pair.speedup = speedup.ratio;
  pair.speedup_interval = speedup.interval;
}

// By how much the numbers of two rows differ. Of rows that restore them alike from their outputs: numbers far
// from 0 would hide it.
std::vector<double> DifferencesOf(const Row& a, const Row& b, size_t output) {
  const OutputContract of_a = OutputContractOf(a, output), of_b = OutputContractOf(b, output);
  const bool alike = of_a.mean == of_b.mean && of_a.std == of_b.std &&
                     a.predictions.scores.size() == b.predictions.scores.size();
  const std::vector<float>&left = alike ? a.predictions.scores : a.numbers,
        &right = alike ? b.predictions.scores : b.numbers;
  std::vector<double> differences;
  for (size_t i = 0; i < left.size(); ++i) {
    const double std = alike && !of_a.std.empty() ? double{of_a.std[i % of_a.std.size()]} : 1;
    differences.push_back(std * std::abs(double{left[i]} - double{right[i]}));
  }
  return differences;
}

PairResult PairOf(const Row& a, const Row& b, const Dataset& dataset, size_t output, uint64_t seed) {
  const std::string &first = a.result.name, &second = b.result.name;
  if (IsOfNumbers(dataset.task)) {
    PairResult pair = CompareOutputs(first, a.predictions, second, b.predictions, dataset.size());
    const auto known = [&](std::span<const float> numbers) {
      return Known(numbers, dataset.numbers, dataset.targets);
    };
    const std::vector<float> wanted = known(dataset.numbers);
    const std::vector<double> units = UnitsOf(dataset, wanted, OutputContractOf(a, output));
    pair.errors = CompareErrors(known(a.numbers), known(b.numbers), wanted, dataset.targets, seed, units);
    TellInUnits(DifferencesOf(a, b, output), static_cast<size_t>(dataset.targets), units, pair);
    return pair;
  }
  PairResult pair = ComparePair(first, a.predictions, second, b.predictions, dataset.labels, dataset.size());
  if (dataset.LabelsPerImage() == 1) return pair;
  if (dataset.task == Task::kMultiLabel) {
    // Images are independent draws, their labels are not.
    pair.drop_interval.reset();
    pair.mcnemar_p = LabelsDifferP(a.predictions, b.predictions, dataset.labels, dataset.LabelsPerImage());
    return pair;
  }
  // Neighbouring pixels are no independent draws.
  pair.drop_interval.reset();
  pair.mcnemar_p.reset();
  return pair;
}

// checkpoint -> graph, simulated -> quantized models, models -> TFLite, float model -> its integer models,
// reference -> every other row; each pair once.
void CompareRows(const Rows& rows, const Dataset& dataset, size_t output, const EvalRequest& request,
                 Report& report) {
  const auto compare = [&](const Row* a, const Row* b) {
    if (a == nullptr || b == nullptr || a == b) return;
    for (const PairResult& pair : report.pairs) {
      if (pair.a == a->result.name && pair.b == b->result.name) return;
    }
    report.pairs.push_back(PairOf(*a, *b, dataset, output, request.seed));
    CompareTimes(*a, *b, request.seed, report.pairs.back());
  };
  const Row* simulated = RowNamed(rows, "simulated");
  compare(RowNamed(rows, "checkpoint"), RowNamed(rows, "graph"));
  compare(RowNamed(rows, kFakeQuantizedName), simulated);
  for (const Row& row : rows.rows) {
    const bool integers = row.result.kind == "tflite" && !ComputesInFloat(row.result);
    if (integers && row.listed) compare(simulated, &row);
    if (!row.twin.empty()) compare(RowNamed(rows, row.twin), &row);
  }
  for (const ModelResult& model : report.models) {
    if (const ModelResult* own = FloatModelFor(report, model))
      compare(RowNamed(rows, own->name), RowNamed(rows, model.name));
  }
  for (const ModelResult* judged : JudgedRows(report)) {
    for (const std::string* named :
         {&request.gates.flips_against, &request.gates.speedup_against, &request.gates.ratio_against}) {
      if (!named->empty()) compare(RowNamed(rows, *named), RowNamed(rows, judged->name));
    }
  }
  const ModelResult* reference = ReferenceRow(report);
  if (reference == nullptr) return;
  for (const Row& row : rows.rows) {
    if (row.listed && row.twin.empty()) compare(RowNamed(rows, reference->name), &row);
  }
}

// A report that holds the rows and nothing that was measured of them.
Report OnlyRows(const Rows& rows) {
  Report report;
  for (const Row& row : rows.rows) {
    if (row.listed) report.models.push_back(row.result);
  }
  return report;
}

Status AddCurves(const RowRequest& request, Report& report) {
  const std::string& run = request.checkpoint.empty() ? request.float_run : request.checkpoint;
  if (run.empty()) return {};
  QAT_ASSIGN_OR_RETURN(RunRecord curves, ReadRunCurves(run));
  report.curves = std::move(curves.curves);
  report.quant_delay = curves.quant_delay;
  return {};
}

Status CheckSignificance(const EvalRequest& request) {
  const double significance = request.gates.significance;
  if (!(significance >= 0 && significance < 1)) {
    return InvalidArgument(StrCat("`significance`: value ", significance, ", expected 0 to under 1"));
  }
  if (significance == 0) return {};
  if (!request.gates.Has(&GateLimits::max_drop))
    return InvalidArgument("`significance`: needs `max_drop`, which it excuses");
  if (request.baseline.empty()) return {};
  return InvalidArgument(
      "`significance`: compares the answers of two rows of one run, which an earlier report has not kept; "
      "leave out `baseline`, or give the earlier model as the first of `models`");
}

// Before the long work, not after it.
Status CheckFlipsRow(const GateLimits& gates, const Rows& rows) {
  if (gates.flips_against.empty()) return {};
  const Row* row = RowNamed(rows, gates.flips_against);
  if (row != nullptr && row->listed) return {};
  const auto& outputs = rows.rows.front().predictor->contract().outputs;
  const auto is_named = [&](const OutputContract& output) { return output.name == gates.flips_against; };
  if (outputs.size() > 1 && std::any_of(outputs.begin(), outputs.end(), is_named)) return {};
  std::string names;
  for (const Row& known : rows.rows) {
    if (known.listed) names += StrCat(names.empty() ? "" : ", ", known.result.name);
  }
  return InvalidArgument(
      StrCat("`max_flips`: there is no row '", gates.flips_against, "', expected one of ", names));
}

// What a gate or a remark is about, of several outputs.
void NameOutput(const std::string& output, Report& report) {
  for (GateResult& gate : report.gates) {
    if (!IsOfWholeModel(gate.name))
      gate.subject = StrCat("output '", output, "'", gate.subject.empty() ? "" : StrCat(", ", gate.subject));
  }
}

/// What rows are for the output at hand, put back at the end.
class OutputTurn {
 public:
  OutputTurn(size_t index, Rows& rows) : rows_(rows) {
    for (Row& row : rows.rows) {
      kept_.push_back({std::move(row.predictions), std::move(row.numbers), row.result, std::move(row.turns)});
      row.predictions = kept_.back().predictions.others[index - 1];
      row.numbers.clear();
      row.turns.clear();
      const ModelResult whole = std::exchange(row.result, {});
      row.result.name = whole.name;
      row.result.kind = whole.kind;
      row.result.path = whole.path;
      row.result.type = whole.type;
      row.result.provenance = whole.provenance;
    }
  }
  ~OutputTurn() {
    for (size_t i = 0; i < kept_.size(); ++i) {
      Row& row = rows_.rows[i];
      row.predictions = std::move(kept_[i].predictions);
      row.numbers = std::move(kept_[i].numbers);
      row.result = std::move(kept_[i].result);
      row.turns = std::move(kept_[i].turns);
    }
  }
  OutputTurn(const OutputTurn&) = delete;
  OutputTurn& operator=(const OutputTurn&) = delete;

 private:
  struct Kept {
    Predictions predictions;
    std::vector<float> numbers;
    ModelResult result;
    std::vector<float> turns;
  };
  Rows& rows_;
  std::vector<Kept> kept_;
};

// The figures of an output after the first. Its gates and remarks join those of the report.
Status EvaluateOutput(const EvalRequest& request, const GateLimits& limits, const Report* baseline,
                      const Dataset& dataset, size_t index, const WorkHooks& hooks, Rows& rows,
                      Report& report) {
  const OutputTurn turn(index, rows);
  Report own;
  own.output = dataset.output;
  own.data_examples = report.data_examples;
  own.task = NameOf(dataset.task);
  own.class_names = dataset.class_names;
  QAT_RETURN_IF_ERROR(MeasureAnswers(request.topk, dataset, index, rows));
  own.models = OnlyRows(rows).models;
  CompareRows(rows, dataset, index, request, own);
  const auto differs = [](const PairResult& pair) { return pair.max_abs_lsb.value_or(0) > 0; };
  if (std::any_of(own.pairs.begin(), own.pairs.end(), differs))
    QAT_RETURN_IF_ERROR(LookInside(rows, dataset, hooks, own));
  own.layers.clear();
  const Report* before = nullptr;
  for (size_t i = 0; baseline != nullptr && i < baseline->other_outputs.size(); ++i) {
    if (baseline->other_outputs[i].output == own.output) before = &baseline->other_outputs[i];
  }
  QAT_RETURN_IF_ERROR_IN(StrCat("output '", own.output, "'"), JudgeGates(limits, before, own));
  JudgeProof(limits, request.rows.interpreter.profile, own);
  ExplainFailures(own);
  AddRemarks(own);
  NameOutput(own.output, own);
  report.gates.insert(report.gates.end(), own.gates.begin(), own.gates.end());
  for (const std::string& warning : own.warnings)
    report.warnings.push_back(StrCat("output '", own.output, "': ", warning));
  own.gates.clear();
  own.warnings.clear();
  for (ModelResult& model : own.models) model.provenance.clear();
  report.other_outputs.push_back(std::move(own));
  return {};
}

}  // namespace

Status CheckRequest(const EvalRequest& request) {
  const RowRequest& rows = request.rows;
  const bool has_reference = !rows.float_run.empty() || !rows.checkpoint.empty() || rows.models.size() > 1 ||
                             (!rows.graph.empty() && !rows.models.empty());
  if (rows.float_run.empty() && rows.checkpoint.empty() && rows.graph.empty() && rows.models.empty()) {
    return InvalidArgument("nothing to evaluate: give `float_run`, `checkpoint`, `graph` or `models`");
  }
  if (request.data.empty()) {
    return InvalidArgument("`data` is missing: give 'digits' or a path of labelled data");
  }
  if (request.limit < 0)
    return InvalidArgument(StrCat("`limit`: value ", request.limit, ", expected 0 or more"));
  for (const int32_t k : request.topk) {
    if (k < 1) return InvalidArgument(StrCat("`topk`: value ", k, ", expected numbers of at least 1"));
  }
  if (request.repeat && (*request.repeat < 0 || *request.repeat > kMostRounds)) {
    return InvalidArgument(StrCat("`repeat`: value ", *request.repeat, ", expected 0 to ", kMostRounds));
  }
  const GateLimits& gates = request.gates;
  if (!request.baseline.empty() && !gates.NeedsBaseline() && !gates.max_layer_loss) {
    return InvalidArgument(
        "`baseline`: needs `max_drop`, `max_error_rise`, `min_speedup`, `max_latency_ratio` or "
        "`max_layer_loss`, the limits that compare with it");
  }
  if (request.baseline.empty() && gates.max_layer_loss)
    return InvalidArgument("`max_layer_loss`: needs `baseline`, an earlier report");
  const bool own_flips = gates.max_flips && gates.flips_against.empty();
  const bool of_answers = gates.Has(&GateLimits::max_drop) || gates.Has(&GateLimits::max_error_rise);
  if ((own_flips || (of_answers && request.baseline.empty())) && !has_reference) return NoReference();
  if (gates.NeedsFloatModel() && request.baseline.empty() && !has_reference) return NoFloatModel();
  if (gates.NeedsTimes() && request.repeat == 0) {
    return InvalidArgument(
        "`min_speedup`, `max_latency` and `max_latency_ratio`: need times, but `repeat` is 0");
  }
  return CheckSignificance(request);
}

Expected<std::string> Evaluate(const EvalRequest& request, const WorkHooks& hooks, Report& report) {
  QAT_RETURN_IF_ERROR(CheckRequest(request));
  QAT_ASSIGN_OR_RETURN(const std::optional<Report> baseline, ReadBaseline(request.baseline));
  DescribeEnvironment(request.rows.interpreter, report);
  RowRequest asked = request.rows;
  asked.data_are_reals = [&, reals = std::optional<bool>()]() mutable {
    if (!reals) reals = HoldsReals(request.data);
    return *reals;
  };
  QAT_ASSIGN_OR_RETURN(Rows rows, OpenRows(asked, report.warnings));
  QAT_RETURN_IF_ERROR(CheckFlipsRow(request.gates, rows));
  QAT_RETURN_IF_ERROR(CheckJudge(request.judge, rows));
  QAT_RETURN_IF_ERROR(CheckSpeedGates(request.gates, baseline.has_value(), OnlyRows(rows)));
  report.ranges = rows.ranges;
  if (!rows.litert_version.empty()) {
    report.environment["litert"] = rows.litert_version;
    report.environment["litert_python"] = rows.litert_python;
  }
  if (!rows.network.empty()) report.environment["network"] = rows.network;
  QAT_RETURN_IF_ERROR(AddCurves(request.rows, report));
  QAT_ASSIGN_OR_RETURN_IN("`labels`", const std::vector<std::string> class_names,
                          ClassNamesOf(request, rows));
  QAT_ASSIGN_OR_RETURN_IN("`data`", const Dataset dataset, OpenData(request, class_names, hooks, rows));
  if (dataset.size() == 0) return Corrupt(StrCat(dataset.name, ": holds no examples, expected at least one"));
  QAT_RETURN_IF_ERROR(DescribeData(dataset, report));
  const bool several = dataset.output_count() > 1;
  std::vector<GateLimits> limits = {request.gates};
  if (several) {
    QAT_ASSIGN_OR_RETURN(limits, LimitsOfOutputs(request.gates, dataset));
  } else {
    QAT_RETURN_IF_ERROR(CheckGatesFit(request.gates, dataset));
    const auto& judged = rows.rows.front().predictor->contract().outputs;
    TakeLimitOfOutput(judged.empty() ? dataset.output : judged[0].name, dataset, limits[0]);
  }
  if (baseline) QAT_RETURN_IF_ERROR(CheckBaselineData(request, *baseline, report));
  QAT_RETURN_IF_ERROR(Answer(dataset, hooks, rows));
  QAT_RETURN_IF_ERROR(WarnOfCutOffInputs(dataset, rows, report));
  QAT_RETURN_IF_ERROR(MeasureAnswers(request.topk, dataset, 0, rows));
  QAT_RETURN_IF_ERROR(MeasureLatencies(request, rows, dataset, hooks, report));
  report.models = OnlyRows(rows).models;
  report.task = NameOf(dataset.task);
  report.class_names =
      class_names.empty() && dataset.task != Task::kClasses ? dataset.class_names : class_names;
  report.output = dataset.output;
  CompareRows(rows, dataset, 0, request, report);
  QAT_RETURN_IF_ERROR(LookInside(rows, dataset, hooks, report));
  QAT_RETURN_IF_ERROR(AddFlipped(rows, dataset, report));
  QAT_RETURN_IF_ERROR(JudgeGates(limits[0], baseline ? &*baseline : nullptr, report));
  JudgeProof(limits[0], request.rows.interpreter.profile, report);
  if (!request.rows.graph.empty() || !request.rows.checkpoint.empty()) JudgeRanges(request.gates, report);
  if (baseline) JudgeLayers(request.gates, *baseline, report);
  ExplainFailures(report);
  AddRemarks(report);
  if (several) NameOutput(dataset.output, report);
  for (size_t i = 1; i < dataset.output_count(); ++i) {
    QAT_RETURN_IF_ERROR(EvaluateOutput(request, limits[i], baseline ? &*baseline : nullptr,
                                       ForOutput(dataset, i), i, hooks, rows, report));
  }
  const bool failed =
      std::any_of(report.gates.begin(), report.gates.end(), [](const auto& gate) { return !gate.pass; });
  if (failed) report.status = "gate-failed";
  return PredictionsCsv(rows, dataset);
}

}  // namespace qat
