#include "eval/proof.h"

#include <optional>
#include <string_view>

namespace qat {
namespace {

const ModelResult* RowNamed(const Report& report, std::string_view name) {
  for (const ModelResult& model : report.models) {
    if (model.name == name) return &model;
  }
  return nullptr;
}

// The model and its witness, in the order of the pair's own names.
struct Witnessed {
  const ModelResult* model = nullptr;
  const ModelResult* witness = nullptr;
};

std::optional<Witnessed> WitnessedBy(const Report& report, const PairResult& pair) {
  const ModelResult* a = RowNamed(report, pair.a);
  const ModelResult* b = RowNamed(report, pair.b);
  if (a == nullptr || b == nullptr) return std::nullopt;
  if (b->kind == "litert") return Witnessed{a, b};
  if (a->type == "simulated" && b->kind == "tflite") return Witnessed{b, a};
  return std::nullopt;
}

}  // namespace

void JudgeProof(const GateLimits& limits, ArithmeticProfile profile, Report& report) {
  if (!limits.max_steps && profile != ArithmeticProfile::kTflite) return;
  const int64_t limit = limits.max_steps.value_or(0);
  if (limit < 0) return;
  for (const PairResult& pair : report.pairs) {
    const auto witnessed = WitnessedBy(report, pair);
    if (!witnessed || (!pair.max_abs_lsb && pair.max_abs_error)) continue;
    GateResult gate;
    gate.name = pair.max_abs_lsb ? "max-steps" : "max-flips";
    gate.model = witnessed->model->name;
    gate.reference = witnessed->witness->name;
    gate.limit = static_cast<double>(limit);
    gate.value = static_cast<double>(pair.max_abs_lsb.value_or(pair.total_flips));
    gate.pass = gate.value <= gate.limit;
    report.gates.push_back(std::move(gate));
  }
}

}  // namespace qat
