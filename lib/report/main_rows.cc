#include "report/main_rows.h"

#include <algorithm>

#include "base/strings.h"

namespace qat {
namespace {

using Rows = std::vector<const ModelResult*>;

template <class Predicate>
const ModelResult* First(const Rows& rows, Predicate predicate) {
  const auto found = std::find_if(rows.begin(), rows.end(), predicate);
  return found == rows.end() ? nullptr : *found;
}

// A hash of the frozen graph that the row was made from, perhaps only its first digits; empty: not known.
std::string GraphHash(const ModelResult& row) {
  if (row.kind == "graph") return row.sha256;
  const auto found = row.provenance.find("graph");
  return found == row.provenance.end() ? "" : found->second;
}

bool HaveSameGraph(const ModelResult& a, const ModelResult& b) {
  const std::string first = GraphHash(a), second = GraphHash(b);
  return !first.empty() && !second.empty() && (first.starts_with(second) || second.starts_with(first));
}

bool IsOurFloat(const ModelResult& row) {
  return row.type == "float32" && (row.kind == "graph" || row.kind == "tflite");
}

// Float models of our runtime that the row may be compared with.
Rows FloatModels(const Report& report, const ModelResult& row) {
  Rows rows;
  for (const ModelResult& other : report.models) {
    if (&other == &row && row.type == "float32") break;
    if (&other != &row && IsOurFloat(other)) rows.push_back(&other);
  }
  return rows;
}

}  // namespace

const ModelResult* RowNamed(const Report& report, std::string_view name) {
  for (const ModelResult& model : report.models) {
    if (model.name == name) return &model;
  }
  return nullptr;
}

const ModelResult* ReferenceRow(const Report& report) {
  for (const char* name : {"float", "checkpoint"}) {
    if (const ModelResult* row = RowNamed(report, name)) return row;
  }
  Rows models;
  for (const ModelResult& model : report.models) {
    if (model.kind == "tflite") models.push_back(&model);
  }
  if (models.empty()) return nullptr;
  if (const ModelResult* row = RowNamed(report, "graph")) return row;
  return models.size() > 1 ? models.front() : nullptr;
}

const ModelResult* FloatModelFor(const Report& report, const ModelResult& row) {
  if (row.kind != "tflite" && row.type != "simulated") return nullptr;
  const Rows rows = FloatModels(report, row);
  const auto is_float_run = [](const ModelResult* other) { return other->name == kFloatGraphName; };
  const auto is_same = [&](const ModelResult* other) { return HaveSameGraph(*other, row); };
  const auto is_graph = [](const ModelResult* other) { return other->kind == "graph"; };
  if (const ModelResult* found = First(rows, is_float_run)) return found;
  if (const ModelResult* found = First(rows, is_same)) return found;
  if (const ModelResult* found = First(rows, is_graph)) return found;
  return rows.empty() ? nullptr : rows.front();
}

const ModelResult* HeadlineReference(const Report& report, const ModelResult& row) {
  if (const ModelResult* own = FloatModelFor(report, row)) return own;
  const ModelResult* reference = ReferenceRow(report);
  return reference == &row ? nullptr : reference;
}

std::vector<const ModelResult*> MainRows(const Report& report) {
  Rows models;
  for (const ModelResult& row : report.models) {
    if (row.kind == "tflite") models.push_back(&row);
  }
  Rows rows;
  for (const ModelResult& row : report.models) {
    const auto compared = [&](const ModelResult* model) { return HeadlineReference(report, *model) == &row; };
    if (models.empty() || row.kind == "tflite" || std::any_of(models.begin(), models.end(), compared))
      rows.push_back(&row);
  }
  return rows;
}

const PairResult* PairOf(const Report& report, std::string_view a, std::string_view b) {
  for (const PairResult& pair : report.pairs) {
    if (pair.a == a && pair.b == b) return &pair;
  }
  return nullptr;
}

std::string ShownName(const Report& report, const ModelResult& row) {
  const bool beside_models = std::any_of(report.models.begin(), report.models.end(),
                                         [](const ModelResult& model) { return model.kind == "tflite"; });
  return row.kind == "graph" && beside_models ? StrCat("float (", row.name, ")") : row.name;
}

std::string ReferenceText(const Report& report, const GateResult& gate) {
  const ModelResult* row = RowNamed(report, gate.reference);
  if (row == nullptr) return gate.reference;
  if (row->kind != "checkpoint" || row->type != "float32") return ShownName(report, *row);
  return StrCat(row->name, row->name == "float" ? " (a run of its own)" : " (its weights in float)");
}

bool ComputesInFloat(const ModelResult& row) {
  return row.type == "float32" || row.type == "float16" || row.type == "dynamic";
}

bool HasLayersApart(const ModelResult& row) { return row.type.find(" + ") != std::string::npos; }

bool HasLayersInFloat(const ModelResult& row) { return row.type.ends_with(" + float32"); }

int64_t ModelBytes(const ModelResult& row) { return row.model_bytes > 0 ? row.model_bytes : row.bytes; }

}  // namespace qat
