#include "eval/gates.h"

#include <algorithm>
#include <charconv>

#include "base/strings.h"
#include "eval/time_gates.h"
#include "report/text_format.h"

namespace qat {
namespace {

const ModelResult* RowNamed(const Report& report, std::string_view name) {
  for (const ModelResult& model : report.models) {
    if (model.name == name) return &model;
  }
  return nullptr;
}

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
  return InvalidArgument(StrCat("--baseline: the earlier report has no model '", row.name, "'"));
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

Status JudgeAbsolute(const GateLimits& limits, const ModelResult& row, Report& report) {
  const Case judged = {row, nullptr, ""};
  if (limits.min_accuracy) {
    if (!row.accuracy) return Missing("--min-accuracy", "accuracy", row);
    const double value = row.accuracy->top1;
    report.gates.push_back(
        Gate("min-accuracy", judged, *limits.min_accuracy, value, value >= *limits.min_accuracy));
  }
  if (limits.max_rmse) {
    if (!row.regression) return Missing("--max-rmse", "errors of real numbers", row);
    const double value = row.regression->all.rmse;
    report.gates.push_back(Gate("max-rmse", judged, *limits.max_rmse, value, value <= *limits.max_rmse));
  }
  if (limits.max_size) {
    const auto limit = static_cast<double>(*limits.max_size);
    report.gates.push_back(
        Gate("max-size", judged, limit, static_cast<double>(row.bytes), row.bytes <= *limits.max_size));
  }
  return limits.max_latency ? JudgeLatency(*limits.max_latency, row, report) : Status();
}

// From counts, not from percentages: 99.3 - 99.2 is more than 0.1 in binary, and a gate must not fail by that.
double DropOf(const AccuracyResult& reference, const AccuracyResult& accuracy) {
  if (reference.total == accuracy.total && accuracy.total > 0) {
    return 100.0 * static_cast<double>(reference.correct - accuracy.correct) /
           static_cast<double>(accuracy.total);
  }
  return reference.top1 - accuracy.top1;
}

const PairResult* PairOf(const Report& report, const std::string& a, const std::string& b) {
  for (const PairResult& pair : report.pairs) {
    if (pair.a == a && pair.b == b) return &pair;
  }
  return nullptr;
}

// A drop beyond the limit that chance alone would show so often passes, but not in silence.
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
  if (!judged.row.accuracy) return Missing("--max-drop", "accuracy", judged.row);
  if (!judged.reference->accuracy) return Missing("--max-drop", "accuracy", *judged.reference);
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
    if (!row->regression) return Missing("--max-error-rise", "errors of real numbers", *row);
  const double reference = judged.reference->regression->all.rmse, own = judged.row.regression->all.rmse;
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
    return Missing("--max-flips", StrCat("labels beside those of '", judged.reference->name, "'"),
                   judged.row);
  }
  GateResult gate = Gate("max-flips", judged, static_cast<double>(limit),
                         static_cast<double>(pair->total_flips), pair->total_flips <= limit);
  gate.p = pair->mcnemar_p;
  report.gates.push_back(std::move(gate));
  return {};
}

// Of --min-speedup and --max-latency-ratio, against the row or the baseline.
Status JudgeRatios(const GateLimits& limits, const Report* baseline, const Case& judged, Report& report) {
  for (const bool speedup : {true, false}) {
    const std::optional<double>& limit = speedup ? limits.min_speedup : limits.max_latency_ratio;
    if (!limit) continue;
    QAT_RETURN_IF_ERROR(
        baseline == nullptr
            ? JudgeTimeAgainstRow(*limit, speedup, *judged.reference, judged.row, report)
            : JudgeTimeAgainstBaseline(*limit, speedup, *baseline, *judged.reference, judged.row, report));
  }
  return {};
}

// A report is judged while gates are appended to it; rows stay where they are.
Status JudgeRelative(const GateLimits& limits, const Report* baseline, const ModelResult& row,
                     Report& report) {
  const ModelResult* own = ReferenceRow(report);
  Case judged = {row, own, own == nullptr ? "" : own->name};
  if (limits.max_flips) {
    const ModelResult* against = limits.flips_against.empty() ? own : RowNamed(report, limits.flips_against);
    if (against == nullptr) return NoReference();
    const Case flips = {row, against, against->name};
    if (against != &row) QAT_RETURN_IF_ERROR(JudgeFlips(*limits.max_flips, flips, report));
  }
  if (baseline != nullptr) {
    QAT_ASSIGN_OR_RETURN(judged.reference, BaselineRow(report, *baseline, row));
    judged.reference_name = "baseline";
  }
  if (!limits.NeedsBaseline()) return {};
  if (judged.reference == nullptr) return NoReference();
  if (judged.reference == &row) return {};
  if (limits.max_drop) QAT_RETURN_IF_ERROR(JudgeDrop(limits, judged, report));
  if (limits.max_error_rise) QAT_RETURN_IF_ERROR(JudgeErrorRise(*limits.max_error_rise, judged, report));
  return JudgeRatios(limits, baseline, judged, report);
}

}  // namespace

Status ParseMaxFlips(const std::string& text, GateLimits& limits) {
  const size_t equals = text.rfind('=');
  const bool named = equals != std::string::npos && equals > 0;
  const std::string number = named ? text.substr(equals + 1) : text;
  int64_t limit = -1;
  const char* end = number.data() + number.size();
  const auto [rest, error] = std::from_chars(number.data(), end, limit);
  if (error != std::errc() || rest != end || limit < 0) {
    return InvalidArgument(
        StrCat("--max-flips: value '", text, "', expected a number, or ROW=NUMBER as in simulated=0"));
  }
  limits.max_flips = limit;
  limits.flips_against = named ? text.substr(0, equals) : "";
  return {};
}

Error NoReference() {
  return InvalidArgument(
      "--max-drop, --max-error-rise, --max-flips, --min-speedup and --max-latency-ratio hold a model against "
      "another one: give --float, --checkpoint, --graph, a second --model or --baseline");
}

const ModelResult* ReferenceRow(const Report& report) {
  for (const char* name : {"float", "checkpoint"}) {
    if (const ModelResult* row = RowNamed(report, name)) return row;
  }
  const auto models = TfliteRows(report);
  if (models.size() > 1) return models.front();
  const ModelResult* graph = RowNamed(report, "graph");
  return models.empty() ? nullptr : graph;
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
    return InvalidArgument("there is no model to judge: give --model, --graph or --checkpoint");
  for (const ModelResult* row : rows) {
    QAT_RETURN_IF_ERROR(JudgeAbsolute(limits, *row, report));
    if (limits.NeedsReference()) QAT_RETURN_IF_ERROR(JudgeRelative(limits, baseline, *row, report));
  }
  return {};
}

}  // namespace qat
