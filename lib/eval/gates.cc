#include "eval/gates.h"

#include <algorithm>

#include "base/strings.h"
#include "eval/time_gates.h"
#include "report/class_figures.h"
#include "report/label_figures.h"
#include "report/text_format.h"

namespace qat {
namespace {

std::vector<const ModelResult*> TfliteRows(const Report& report) {
  std::vector<const ModelResult*> rows;
  for (const ModelResult& model : report.models) {
    if (model.kind == "tflite") rows.push_back(&model);
  }
  return rows;
}

Expected<const ModelResult*> BaselineRow(const Report& report, const Report& baseline,
                                         const ModelResult& row) {
  if (const ModelResult* same = RowNamed(baseline, row.name)) return same;
  const auto earlier = TfliteRows(baseline);
  if (earlier.size() == 1 && row.kind == "tflite" && TfliteRows(report).size() == 1) return earlier.front();
  return InvalidArgument(StrCat("`baseline`: the earlier report has no model '", row.name, "'"));
}

// What one row is judged with.
struct Case {
  const ModelResult& row;
  const ModelResult* reference;  // null: the row is the reference itself
  std::string reference_name;
};

GateResult Gate(const char* name, const Case& judged, double limit, double value, bool pass) {
  GateResult gate;
  gate.name = name;
  gate.model = judged.row.name;
  gate.reference = judged.reference_name;
  gate.limit = limit;
  gate.value = value;
  gate.pass = pass;
  return gate;
}

Error Missing(std::string_view flag, std::string_view what, const ModelResult& row) {
  return InvalidArgument(StrCat(flag, ": '", row.name, "' has no ", what));
}

// The label of a class by its name, else by its number.
Expected<size_t> LabelOf(const std::string& part, const std::vector<ClassCount>& counts,
                         const Report& report) {
  const auto& names = report.class_names;
  const auto named = std::find(names.begin(), names.end(), part);
  size_t label = static_cast<size_t>(named - names.begin());
  if (named == names.end()) {
    label = ParseNumber<size_t>(part).value_or(counts.size());
    if (label >= counts.size()) {
      return InvalidArgument(StrCat("`min_recall`: there is no class '", part, "', expected ",
                                    names.empty() ? StrCat("0 to ", counts.size() - 1) : Join(names)));
    }
  }
  if (label >= counts.size() || counts[label].total == 0) {
    return InvalidArgument(StrCat("`min_recall`: none of the evaluated images has the class '", part,
                                  "', expected one of the test data"));
  }
  return label;
}

Status JudgeRecall(const ClassLimit& limit, const ModelResult& row, Report& report) {
  const std::vector<ClassCount> counts = ClassCountsOf(*row.classification);
  std::optional<size_t> label = WorstClassOf(counts);
  if (!limit.name.empty()) {
    QAT_ASSIGN_OR_RETURN(label, LabelOf(limit.name, counts, report));
  }
  const double value = *RecallOf(counts[*label]);
  GateResult gate = Gate("min-recall", {row, nullptr, ""}, limit.limit, value, value >= limit.limit);
  gate.subject = ClassSubject(report, *label);
  const auto absent =
      std::count_if(counts.begin(), counts.end(), [](const ClassCount& count) { return count.total == 0; });
  if (limit.name.empty() && absent > 0)
    gate.note = StrCat(absent, absent == 1 ? " class has" : " classes have", " no image and ",
                       absent == 1 ? "is" : "are", " not judged");
  report.gates.push_back(std::move(gate));
  return {};
}

Status JudgeClasses(const GateLimits& limits, const ModelResult& row, Report& report) {
  if (limits.min_accuracy) {
    if (!row.accuracy) return Missing("`min_accuracy`", "accuracy", row);
    const double value = row.accuracy->top1, limit = *limits.min_accuracy;
    report.gates.push_back(Gate("min-accuracy", {row, nullptr, ""}, limit, value, value >= limit));
  }
  if (!limits.min_balanced_accuracy && limits.min_recall.empty()) return {};
  if (!row.classification) return Missing("`min_balanced_accuracy` and `min_recall`", "classes", row);
  if (limits.min_balanced_accuracy) {
    const double value = BalancedAccuracyOf(ClassCountsOf(*row.classification)).value_or(0);
    const double limit = *limits.min_balanced_accuracy;
    report.gates.push_back(Gate("min-balanced-accuracy", {row, nullptr, ""}, limit, value, value >= limit));
  }
  for (const ClassLimit& limit : limits.min_recall) QAT_RETURN_IF_ERROR(JudgeRecall(limit, row, report));
  return {};
}

Status JudgeNumbers(const GateLimits& limits, const ModelResult& row, Report& report) {
  if (!limits.OfNumbers()) return {};
  if (!row.regression) return Missing("`max_rmse`", "errors of real numbers", row);
  const auto judge = [&](double limit, double value, const std::string& subject) {
    report.gates.push_back(Gate("max-rmse", {row, nullptr, ""}, limit, value, value <= limit));
    report.gates.back().subject = subject;
  };
  if (limits.max_rmse) judge(*limits.max_rmse, row.regression->all.rmse, "");
  const auto& targets = row.regression->targets;
  for (const TargetLimit& limit : limits.max_target_rmse) {
    const size_t count = std::max<size_t>(targets.size(), 1);
    const auto named = std::find(report.class_names.begin(), report.class_names.end(), limit.name);
    const bool has_name = !limit.name.empty() && named != report.class_names.end();
    const auto index =
        has_name ? static_cast<size_t>(named - report.class_names.begin()) : static_cast<size_t>(limit.index);
    if (index >= count) {
      return InvalidArgument(
          StrCat("`max_rmse`: there is no number ", limit.name.empty() ? StrCat(limit.index) : limit.name,
                 " per image, expected ",
                 report.class_names.empty() ? StrCat("0 to ", count - 1) : Join(report.class_names)));
    }
    const double rmse = targets.empty() ? row.regression->all.rmse : targets[index].rmse;
    judge(limit.limit, rmse, NumberSubject(report, index));
  }
  return {};
}

Status JudgeScores(const GateLimits& limits, const ModelResult& row, Report& report) {
  const auto judge = [&](const char* name, double limit, const std::optional<double>& value) {
    report.gates.push_back(
        Gate(name, {row, nullptr, ""}, limit, value.value_or(0), value && *value >= limit));
    if (!value)
      report.gates.back().note = "the labels of the data are all the same, so there is no such figure";
  };
  if (limits.min_auc) {
    if (!row.anomaly && (!row.labels || row.labels->labels.empty()))
      return Missing("`min_auc`", "answers to yes or no, or anomalies", row);
    judge("min-auc", *limits.min_auc, row.anomaly ? std::optional(row.anomaly->auc) : MeanAuc(*row.labels));
  }
  if (limits.min_f1) {
    if (!row.labels) return Missing("`min_f1`", "answers to yes or no", row);
    judge("min-f1", *limits.min_f1, MeanF1(*row.labels));
  }
  if (limits.min_iou) {
    if (!row.classification || !row.classification->mean_iou)
      return Missing("`min_iou`", "labels per pixel", row);
    judge("min-iou", *limits.min_iou, row.classification->mean_iou);
  }
  return {};
}

Status JudgeAbsolute(const GateLimits& limits, const ModelResult& row, Report& report) {
  QAT_RETURN_IF_ERROR(JudgeClasses(limits, row, report));
  QAT_RETURN_IF_ERROR(JudgeNumbers(limits, row, report));
  QAT_RETURN_IF_ERROR(JudgeScores(limits, row, report));
  if (limits.max_size) {
    const auto limit = static_cast<double>(*limits.max_size);
    report.gates.push_back(Gate("max-size", {row, nullptr, ""}, limit, static_cast<double>(row.bytes),
                                row.bytes <= *limits.max_size));
  }
  return limits.max_latency ? JudgeLatency(*limits.max_latency, row, report) : Status();
}

// From counts, not from percentages: 99.3 - 99.2 is more than 0.1 in binary, and a gate must not fail by
// that.
double DropOf(const AccuracyResult& reference, const AccuracyResult& accuracy) {
  if (reference.total == accuracy.total && accuracy.total > 0) {
    return 100.0 * static_cast<double>(reference.correct - accuracy.correct) /
           static_cast<double>(accuracy.total);
  }
  return reference.top1 - accuracy.top1;
}

// A drop above the limit that chance alone would often cause passes, with a warning.
void ExcuseByChance(double significance, const PairResult& pair, GateResult& gate, Report& report) {
  if (gate.pass || significance <= 0 || !(*pair.mcnemar_p > significance)) return;
  gate.pass = true;
  gate.note = StrCat("beyond the limit, but within chance: p ", Significant(*pair.mcnemar_p),
                     " is more than the significance ", Significant(significance));
  report.warnings.push_back(StrCat("max-drop of ", gate.model, " against ", gate.reference, ": ",
                                   GateNumber(gate, gate.value), " is over the limit ",
                                   GateNumber(gate, gate.limit), ", ", gate.note));
}

Status JudgeDrop(const GateLimits& limits, const Case& judged, Report& report) {
  const double limit = *limits.max_drop;
  if (!judged.row.accuracy) return Missing("`max_drop`", "accuracy", judged.row);
  if (!judged.reference->accuracy) return Missing("`max_drop`", "accuracy", *judged.reference);
  const double drop = DropOf(*judged.reference->accuracy, *judged.row.accuracy);
  GateResult gate = Gate("max-drop", judged, limit, drop, drop <= limit);
  const PairResult* pair = PairOf(report, judged.reference_name, judged.row.name);
  if (pair != nullptr && pair->mcnemar_p) {
    gate.p = pair->mcnemar_p;
    ExcuseByChance(limits.significance, *pair, gate, report);
  }
  report.gates.push_back(std::move(gate));
  return {};
}

Status JudgeErrorRise(double limit, const Case& judged, Report& report) {
  for (const ModelResult* row : {&judged.row, judged.reference})
    if (!row->regression) return Missing("`max_error_rise`", "errors of real numbers", *row);
  const RegressionResult &a = *judged.reference->regression, &b = *judged.row.regression;
  const bool relative = a.relative_rmse && b.relative_rmse;  // not in baselines of earlier versions
  const double reference = relative ? *a.relative_rmse : a.all.rmse,
               own = relative ? *b.relative_rmse : b.all.rmse;
  const double rise = reference > 0 ? 100 * (own / reference - 1) : (own > 0 ? 1e9 : 0.0);
  GateResult gate = Gate("max-error-rise", judged, limit, rise, rise <= limit);
  const PairResult* pair = PairOf(report, judged.reference_name, judged.row.name);
  if (pair != nullptr && pair->errors) gate.p = pair->errors->sign_p;
  report.gates.push_back(std::move(gate));
  return {};
}

Status JudgeFlips(int64_t limit, const Case& judged, Report& report) {
  const PairResult* pair = PairOf(report, judged.reference->name, judged.row.name);
  if (pair == nullptr) {
    return Missing("`max_flips`", StrCat("labels beside those of '", judged.reference->name, "'"),
                   judged.row);
  }
  GateResult gate = Gate("max-flips", judged, static_cast<double>(limit),
                         static_cast<double>(pair->total_flips), pair->total_flips <= limit);
  gate.p = pair->mcnemar_p;
  report.gates.push_back(std::move(gate));
  return {};
}

// Of --min-speedup and --max-latency-ratio: against the baseline, the row that was named, or the float model
// of the network.
Status JudgeSpeed(const GateLimits& limits, const Report* baseline, const ModelResult& row, Report& report) {
  for (const bool speedup : {true, false}) {
    const std::optional<double>& limit = speedup ? limits.min_speedup : limits.max_latency_ratio;
    if (!limit) continue;
    if (baseline != nullptr) {
      QAT_ASSIGN_OR_RETURN(const ModelResult* earlier, BaselineRow(report, *baseline, row));
      QAT_RETURN_IF_ERROR(JudgeTimeAgainstBaseline(*limit, speedup, *baseline, *earlier, row, report));
      continue;
    }
    const std::string& named = speedup ? limits.speedup_against : limits.ratio_against;
    const ModelResult* against = named.empty() ? FloatModelFor(report, row) : RowNamed(report, named);
    if (against != nullptr && against != &row)
      QAT_RETURN_IF_ERROR(JudgeTimeAgainstRow(*limit, speedup, *against, row, report));
  }
  return {};
}

Status JudgeAllFlips(const GateLimits& limits, const ModelResult& row, Report& report) {
  const ModelResult* against =
      limits.flips_against.empty() ? ReferenceRow(report) : RowNamed(report, limits.flips_against);
  if (against == nullptr) return NoReference();
  const Case flips = {row, against, against->name};
  return against == &row ? Status() : JudgeFlips(*limits.max_flips, flips, report);
}

Status JudgeAnswers(const GateLimits& limits, const Report* baseline, const ModelResult& row,
                    Report& report) {
  Case judged = {row, ReferenceRow(report), "baseline"};
  if (baseline != nullptr) {
    QAT_ASSIGN_OR_RETURN(judged.reference, BaselineRow(report, *baseline, row));
  } else if (judged.reference == nullptr) {
    return NoReference();
  } else {
    judged.reference_name = judged.reference->name;
  }
  if (judged.reference == &row) return {};
  if (limits.max_drop) QAT_RETURN_IF_ERROR(JudgeDrop(limits, judged, report));
  return limits.max_error_rise ? JudgeErrorRise(*limits.max_error_rise, judged, report) : Status();
}

// A report is judged while gates are appended to it; rows stay where they are.
Status JudgeRelative(const GateLimits& limits, const Report* baseline, const ModelResult& row,
                     Report& report) {
  if (limits.max_flips) QAT_RETURN_IF_ERROR(JudgeAllFlips(limits, row, report));
  if (limits.max_drop || limits.max_error_rise)
    QAT_RETURN_IF_ERROR(JudgeAnswers(limits, baseline, row, report));
  return limits.OfSpeed() ? JudgeSpeed(limits, baseline, row, report) : Status();
}

}  // namespace

Error NoReference() {
  return InvalidArgument(
      "`max_drop`, `max_error_rise` and `max_flips` compare a model with another one: give `float_run`, "
      "`checkpoint`, `graph`, a second `models`, or a `baseline` of a model with the same outputs");
}

Error NoFloatModel() {
  return InvalidArgument(
      "`min_speedup` and `max_latency_ratio` compare a model with the float model of the same network, and "
      "none was given: give `graph`, `checkpoint`, `float_run` or a float .tflite as the first `models`; to "
      "compare "
      "with another model, name its row, as in old.tflite=1.02; with an earlier report, give `baseline`");
}

namespace {

// Of our runtime: times of LibTorch say nothing about the integers.
Status CheckSpeedRow(const char* flag, const std::string& name, const Report& report) {
  std::vector<std::string> names;
  for (const ModelResult& row : report.models) {
    if (row.kind == "tflite" || row.kind == "graph") names.push_back(row.name);
  }
  if (name.empty() || std::find(names.begin(), names.end(), name) != names.end()) return {};
  return InvalidArgument(
      StrCat(flag, ": there is no row '", name, "' that this runtime runs, expected one of ", Join(names)));
}

}  // namespace

Status CheckSpeedGates(const GateLimits& limits, bool has_baseline, const Report& report) {
  if (!limits.OfSpeed() || has_baseline) return {};
  const auto models = TfliteRows(report);
  const auto has_float = [&](const ModelResult* row) { return FloatModelFor(report, *row) != nullptr; };
  if (models.empty()) {
    return InvalidArgument(
        "`min_speedup` and `max_latency_ratio` judge .tflite models, and none was given: give `models`");
  }
  QAT_RETURN_IF_ERROR(CheckSpeedRow("`min_speedup`", limits.speedup_against, report));
  QAT_RETURN_IF_ERROR(CheckSpeedRow("`max_latency_ratio`", limits.ratio_against, report));
  if (!limits.NeedsFloatModel()) return {};
  return std::any_of(models.begin(), models.end(), has_float) ? Status() : NoFloatModel();
}

std::vector<const ModelResult*> JudgedRows(const Report& report) {
  if (auto models = TfliteRows(report); !models.empty()) return models;
  for (const char* name : {"graph", "simulated"}) {
    if (const ModelResult* row = RowNamed(report, name)) return {row};
  }
  return {};
}

Status JudgeGates(const GateLimits& limits, const Report* baseline, Report& report) {
  if (!limits.Any()) return {};
  const auto rows = JudgedRows(report);
  if (rows.empty())
    return InvalidArgument("there is no model to judge: give `models`, `graph` or `checkpoint`");
  QAT_RETURN_IF_ERROR(CheckSpeedGates(limits, baseline != nullptr, report));
  for (const ModelResult* row : rows) {
    QAT_RETURN_IF_ERROR(JudgeAbsolute(limits, *row, report));
    if (limits.NeedsReference()) QAT_RETURN_IF_ERROR(JudgeRelative(limits, baseline, *row, report));
  }
  return {};
}

}  // namespace qat
