#include "eval/gates.h"

#include <algorithm>

#include "base/strings.h"

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
  return {name, judged.row.name, judged.reference_name, limit, value, pass};
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
  if (limits.max_size) {
    const auto limit = static_cast<double>(*limits.max_size);
    report.gates.push_back(
        Gate("max-size", judged, limit, static_cast<double>(row.bytes), row.bytes <= *limits.max_size));
  }
  return {};
}

// From counts, not from percentages: 99.3 - 99.2 is more than 0.1 in binary, and a gate must not fail by that.
double DropOf(const AccuracyResult& reference, const AccuracyResult& accuracy) {
  if (reference.total == accuracy.total && accuracy.total > 0) {
    return 100.0 * static_cast<double>(reference.correct - accuracy.correct) /
           static_cast<double>(accuracy.total);
  }
  return reference.top1 - accuracy.top1;
}

Status JudgeDrop(double limit, const Case& judged, Report& report) {
  if (!judged.row.accuracy) return Missing("--max-drop", "accuracy", judged.row);
  if (!judged.reference->accuracy) return Missing("--max-drop", "accuracy", *judged.reference);
  const double drop = DropOf(*judged.reference->accuracy, *judged.row.accuracy);
  report.gates.push_back(Gate("max-drop", judged, limit, drop, drop <= limit));
  return {};
}

Status JudgeFlips(int64_t limit, const Case& judged, Report& report) {
  for (const PairResult& pair : report.pairs) {
    if (pair.a != judged.reference->name || pair.b != judged.row.name) continue;
    report.gates.push_back(Gate("max-flips", judged, static_cast<double>(limit),
                                static_cast<double>(pair.total_flips), pair.total_flips <= limit));
    return {};
  }
  return Missing("--max-flips", StrCat("labels beside those of '", judged.reference->name, "'"), judged.row);
}

Status JudgeSpeedup(double limit, const Case& judged, Report& report) {
  if (!judged.row.latency_us) return Missing("--min-speedup", "latency", judged.row);
  if (!judged.reference->latency_us) return Missing("--min-speedup", "latency", *judged.reference);
  const double speedup = judged.reference->latency_us->p50 / std::max(judged.row.latency_us->p50, 1e-3);
  report.gates.push_back(Gate("min-speedup", judged, limit, speedup, speedup >= limit));
  return {};
}

// A report is judged while gates are appended to it; rows stay where they are.
Status JudgeRelative(const GateLimits& limits, const Report* baseline, const ModelResult& row,
                     Report& report) {
  const ModelResult* own = ReferenceRow(report);
  Case judged = {row, own, own == nullptr ? "" : own->name};
  if (limits.max_flips) {
    if (own == nullptr) return NoReference();
    if (own != &row) QAT_RETURN_IF_ERROR(JudgeFlips(*limits.max_flips, judged, report));
  }
  if (baseline != nullptr) {
    QAT_ASSIGN_OR_RETURN(judged.reference, BaselineRow(report, *baseline, row));
    judged.reference_name = "baseline";
  }
  if (!limits.max_drop && !limits.min_speedup) return {};
  if (judged.reference == nullptr) return NoReference();
  if (judged.reference == &row) return {};
  if (limits.max_drop) QAT_RETURN_IF_ERROR(JudgeDrop(*limits.max_drop, judged, report));
  if (limits.min_speedup) QAT_RETURN_IF_ERROR(JudgeSpeedup(*limits.min_speedup, judged, report));
  return {};
}

}  // namespace

Error NoReference() {
  return InvalidArgument(
      "--max-drop, --max-flips and --min-speedup hold a model against another one: give --float, "
      "--checkpoint, --graph, "
      "a second --model or --baseline");
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
