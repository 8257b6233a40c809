#include "eval/evaluate.h"

#include <algorithm>
#include <optional>

#include "base/file.h"
#include "base/strings.h"
#include "contract/provenance.h"
#include "data/class_names.h"
#include "data/dataset.h"
#include "eval/accuracy.h"
#include "eval/blame.h"
#include "eval/classification.h"
#include "eval/environment.h"
#include "eval/flipped.h"
#include "eval/labels.h"
#include "eval/latency.h"
#include "eval/look_inside.h"
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
  if (request.labels.empty()) return rows.rows.front().predictor->contract().labels();
  return ReadClassNames(request.labels);
}

// The test split as the models take it: pictures fitted to the input, labels in the order of the class names inside.
Expected<Dataset> OpenData(const EvalRequest& request, const Rows& rows,
                           const std::vector<std::string>& class_names, const WorkHooks& hooks) {
  const Contract& contract = rows.rows.front().predictor->contract();
  OpenOptions options;
  options.limit = request.limit;
  SetInputs(contract, options);
  const auto& outputs = contract.outputs;
  if (!outputs.empty()) options.label = outputs.front().name;
  if (!outputs.empty() && outputs.front().ignored != kIgnoredLabel) options.ignore_label = outputs.front().ignored;
  options.seed = request.seed;
  options.class_names = class_names;
  options.label_indices = class_names.empty();
  options.task = TaskOf(request, rows);
  options.strict = request.strict;
  options.cache_bytes = request.data_cache << 20;
  options.progress = [&hooks](int64_t done, int64_t total) { hooks.Progress("read pictures", done, total); };
  options.interrupted = hooks.interrupted;
  QAT_ASSIGN_OR_RETURN(Dataset dataset, OpenDataset(request.data, Split::kTest, options));
  if (dataset.task == Task::kClasses && options.task == Task::kAuto && dataset.class_names.size() == 2 && HasOneOutput(rows)) {
    dataset.task = Task::kYesNo;
    dataset.notes.push_back("labels are of two classes and the model has one output: it is yes or no (`task` numbers learns it as a number)");
  }
  if (dataset.task == Task::kReconstruction) QAT_RETURN_IF_ERROR(FillTargets(dataset));
  return dataset;
}

Status DescribeData(const Dataset& dataset, Report& report) {
  report.data_name = dataset.name;
  report.data_examples = dataset.size();
  QAT_ASSIGN_OR_RETURN(report.data_sha256, Fingerprint(dataset));
  report.data_total = std::max(dataset.available, dataset.size());
  report.data_notes = dataset.notes;
  if (!dataset.warning.empty()) report.warnings.push_back(dataset.warning);
  return {};
}

Expected<std::optional<Report>> ReadBaseline(const std::string& path) {
  if (path.empty()) return std::optional<Report>();
  QAT_ASSIGN_OR_RETURN_IN("`baseline`", const std::string text, ReadTextFile(path, kLargestLog));
  QAT_ASSIGN_OR_RETURN_IN("`baseline`", Report report, ParseReport(text, path));
  return std::optional<Report>(std::move(report));
}

void WarnOfOtherData(const std::string& path, const Report& baseline, Report& report) {
  if (baseline.data_sha256.empty() || baseline.data_sha256 == report.data_sha256) return;
  report.warnings.push_back(StrCat(path, ": was measured on other images (", baseline.data_name, ", ",
                                   baseline.data_examples, ") than this report"));
}

Status MeasureNumbers(const Dataset& dataset, Row& row) {
  constexpr int32_t kMostTargets = 100;  // that are told one by one
  QAT_RETURN_IF_ERROR(CheckNumbers(row.result.name, row.predictions, dataset));
  row.numbers = row.predictions.scores;
  const auto& outputs = row.predictor->contract().outputs;
  const OutputContract output = outputs.empty() ? OutputContract() : outputs.front();
  RestoreTargets(output, row.numbers);
  row.result.regression = MeasureErrors(row.numbers, dataset.numbers, dataset.targets);
  const bool reconstructs = dataset.task == Task::kReconstruction;
  if (reconstructs || dataset.targets > kMostTargets) row.result.regression->targets.clear();
  if (reconstructs && dataset.labelled && dataset.class_names.size() == 2)
    row.result.anomaly = JudgeAnomalies(row.numbers, dataset.numbers, output.std, dataset.labels);
  return {};
}

void MeasureLabels(const Dataset& dataset, std::span<const int32_t> topk, Row& row) {
  std::vector<int32_t> known;
  const Predictions kept = WithoutIgnored(row.predictions, dataset.labels, known);
  const std::span<const int32_t> labels = known.empty() ? std::span<const int32_t>(dataset.labels) : known;
  const Predictions& predictions = known.empty() ? row.predictions : kept;
  row.result.accuracy = AccuracyOf(predictions, labels);
  if (IsOfYesNo(dataset.task) && (dataset.task == Task::kMultiLabel || dataset.LabelsPerImage() == 1))
    row.result.labels = JudgeLabels(row.predictions, dataset.labels, dataset.LabelsPerImage());
  if (dataset.LabelsPerImage() > 1) row.result.accuracy->interval.reset();
  if (dataset.task == Task::kMultiLabel) return;
  row.result.classification = Classify(predictions, labels, topk);
  if (dataset.LabelsPerImage() > 1) row.result.classification->mean_iou = MeanIou(predictions.labels, labels);
}

Status MeasureAccuracies(const EvalRequest& request, Rows& rows, const Dataset& dataset,
                         const WorkHooks& hooks) {
  for (const Row& row : rows.rows) QAT_RETURN_IF_ERROR(CheckContract(*row.predictor, dataset));
  for (Row& row : rows.rows) {
    QAT_ASSIGN_OR_RETURN(row.predictions, PredictAll(*row.predictor, dataset, hooks));
    if (IsOfNumbers(dataset.task)) {
      QAT_RETURN_IF_ERROR(MeasureNumbers(dataset, row));
    } else {
      MeasureLabels(dataset, request.topk, row);
    }
  }
  return {};
}

LatencyOptions LatencyOptionsOf(const EvalRequest& request) {
  LatencyOptions options;
  options.rounds = request.repeat.value_or(1);
  // A gate is to tell a difference from noise; where nobody said how many rounds, it gets as many as that takes.
  if (!request.repeat && request.gates.NeedsTimes()) options.least_seconds = kSecondsForAGate;
  options.most_rounds = kMostRounds;
  options.one_thread = request.rows.interpreter.threads == 1;
  options.seed = request.seed;
  return options;
}

void WarnOfABusyMachine(const TimingConditions& timing, Report& report) {
  if (!timing.quiet())
    report.warnings.push_back("times were measured on a busy machine; ratios within one run are more reliable than microseconds");
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

PairResult PairOf(const Row& a, const Row& b, const Dataset& dataset, uint64_t seed) {
  const std::string &first = a.result.name, &second = b.result.name;
  if (IsOfNumbers(dataset.task)) {
    PairResult pair = CompareOutputs(first, a.predictions, second, b.predictions);
    pair.errors = CompareErrors(a.numbers, b.numbers, dataset.numbers, dataset.targets, seed);
    return pair;
  }
  PairResult pair = ComparePair(first, a.predictions, second, b.predictions, dataset.labels);
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

// checkpoint -> graph, simulated -> quantized models, models -> TFLite, float model -> its integer models, reference -> every
// other row; each pair once.
void CompareRows(const Rows& rows, const Dataset& dataset, const EvalRequest& request, Report& report) {
  const auto compare = [&](const Row* a, const Row* b) {
    if (a == nullptr || b == nullptr || a == b) return;
    for (const PairResult& pair : report.pairs) {
      if (pair.a == a->result.name && pair.b == b->result.name) return;
    }
    report.pairs.push_back(PairOf(*a, *b, dataset, request.seed));
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
  if (!request.gates.max_drop) return InvalidArgument("`significance`: needs `max_drop`, which it excuses");
  if (request.baseline.empty()) return {};
  return InvalidArgument(
      "`significance`: compares the answers of two rows of one run, which an earlier report has not kept; "
      "leave out `baseline`, or give the earlier model as the first of `models`");
}

// Labels are flipped or right, real numbers are near or far.
Status CheckGatesFit(const GateLimits& gates, const Dataset& dataset) {
  const bool real = IsOfNumbers(dataset.task);
  const bool of_labels = gates.OfClasses() || gates.max_drop || gates.max_flips;
  if (real && of_labels) {
    return InvalidArgument(StrCat("`min_accuracy`, `min_balanced_accuracy`, `min_recall`, `max_drop` and "
                                  "`max_flips`: judge classes, but the labels of ",
                                  dataset.name, " are real numbers: give `max_rmse` and `max_error_rise`"));
  }
  if (!real && (gates.OfNumbers() || gates.max_error_rise)) {
    return InvalidArgument(StrCat("`max_rmse` and `max_error_rise`: judge real numbers, but the labels of ",
                                  dataset.name, " are classes: give `min_accuracy` and `max_drop`"));
  }
  const Task task = dataset.task;
  const auto misfit = [&](const char* gate, const char* what) {
    return InvalidArgument(StrCat(gate, ": judges ", what, ", and the task of ", dataset.name, " is ", NameOf(task), ": leave it out"));
  };
  if (gates.min_auc && !IsOfYesNo(task) && task != Task::kReconstruction) return misfit("`min_auc`", "yes or no, several labels or anomalies");
  if (gates.min_f1 && !IsOfYesNo(task)) return misfit("`min_f1`", "yes or no, or several labels");
  if (gates.min_iou && (real || dataset.LabelsPerImage() == 1 || task == Task::kMultiLabel)) return misfit("`min_iou`", "labels per pixel");
  if (task == Task::kMultiLabel && (gates.min_balanced_accuracy || !gates.min_recall.empty())) {
    return misfit("`min_balanced_accuracy` and `min_recall`", "one class of several (`min_f1` judges labels)");
  }
  return {};
}

// Before the long work, not after it.
Status CheckFlipsRow(const GateLimits& gates, const Rows& rows) {
  if (gates.flips_against.empty()) return {};
  const Row* row = RowNamed(rows, gates.flips_against);
  if (row != nullptr && row->listed) return {};
  std::string names;
  for (const Row& known : rows.rows) {
    if (known.listed) names += StrCat(names.empty() ? "" : ", ", known.result.name);
  }
  return InvalidArgument(
      StrCat("`max_flips`: there is no row '", gates.flips_against, "', expected one of ", names));
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
    return InvalidArgument(
        "`data` is missing: give 'digits' or a path of labelled images");
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
  const bool of_answers = gates.max_drop || gates.max_error_rise;
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
  QAT_ASSIGN_OR_RETURN(Rows rows, OpenRows(request.rows, report.warnings));
  QAT_RETURN_IF_ERROR(CheckFlipsRow(request.gates, rows));
  QAT_RETURN_IF_ERROR(CheckSpeedGates(request.gates, baseline.has_value(), OnlyRows(rows)));
  report.ranges = rows.ranges;
  if (!rows.litert_version.empty()) {
    report.environment["litert"] = rows.litert_version;
    report.environment["litert_python"] = rows.litert_python;
  }
  if (!rows.network.empty()) report.environment["network"] = rows.network;
  QAT_RETURN_IF_ERROR(AddCurves(request.rows, report));
  QAT_ASSIGN_OR_RETURN_IN("`labels`", const std::vector<std::string> class_names, ClassNamesOf(request, rows));
  QAT_ASSIGN_OR_RETURN_IN("`data`", const Dataset dataset, OpenData(request, rows, class_names, hooks));
  if (dataset.size() == 0) return Corrupt(StrCat(dataset.name, ": holds no images, expected at least one"));
  QAT_RETURN_IF_ERROR(DescribeData(dataset, report));
  QAT_RETURN_IF_ERROR(CheckGatesFit(request.gates, dataset));
  if (baseline) WarnOfOtherData(request.baseline, *baseline, report);
  QAT_RETURN_IF_ERROR(MeasureAccuracies(request, rows, dataset, hooks));
  QAT_RETURN_IF_ERROR(MeasureLatencies(request, rows, dataset, hooks, report));
  report.models = OnlyRows(rows).models;
  report.task = NameOf(dataset.task);
  report.class_names = class_names.empty() && dataset.task != Task::kClasses ? dataset.class_names : class_names;
  CompareRows(rows, dataset, request, report);
  QAT_RETURN_IF_ERROR(LookInside(rows, dataset, hooks, report));
  QAT_RETURN_IF_ERROR(AddFlipped(rows, dataset, report));
  QAT_RETURN_IF_ERROR(JudgeGates(request.gates, baseline ? &*baseline : nullptr, report));
  JudgeProof(request.gates, request.rows.interpreter.profile, report);
  if (!request.rows.graph.empty() || !request.rows.checkpoint.empty()) JudgeRanges(request.gates, report);
  if (baseline) JudgeLayers(request.gates, *baseline, report);
  ExplainFailures(report);
  AddRemarks(report);
  const bool failed =
      std::any_of(report.gates.begin(), report.gates.end(), [](const auto& gate) { return !gate.pass; });
  if (failed) report.status = "gate-failed";
  return PredictionsCsv(rows, dataset);
}

}  // namespace qat
