#include "checkpoint/merit.h"

#include <cmath>
#include <optional>
#include <tuple>

#include "base/strings.h"

namespace qat {
namespace {

std::optional<double> MetricOf(const std::map<std::string, double>& metrics, const std::string& name) {
  const auto found = metrics.find(name);
  return found == metrics.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

std::map<std::string, double> MetricsOf(const Evaluation& evaluation, bool quantized,
                                        std::string_view split) {
  std::map<std::string, double> metrics = {{StrCat(split, "_loss"), evaluation.loss},
                                           {StrCat(split, "_standard_error"), evaluation.standard_error},
                                           {"fake_quantize", quantized ? 1.0 : 0.0}};
  if (!std::isnan(evaluation.accuracy)) metrics[StrCat(split, "_accuracy")] = evaluation.accuracy;
  for (const OutputEvaluation& each : evaluation.outputs) {
    metrics[StrCat(split, "_loss/", each.name)] = each.loss;
    if (!std::isnan(each.accuracy)) metrics[StrCat(split, "_accuracy/", each.name)] = each.accuracy;
  }
  return metrics;
}

Merit MeritOf(const std::map<std::string, double>& metrics, std::string_view split, int64_t step) {
  const auto accuracy = MetricOf(metrics, StrCat(split, "_accuracy")),
             loss = MetricOf(metrics, StrCat(split, "_loss"));
  Merit merit;
  merit.step = step;
  merit.quantized = MetricOf(metrics, "fake_quantize").value_or(1) != 0;
  merit.standard_error = MetricOf(metrics, StrCat(split, "_standard_error")).value_or(0);
  if (loss) merit.loss = *loss;
  if (accuracy) {
    merit.value = *accuracy;
  } else if (loss) {
    merit.value = -*loss;
  }
  return merit;
}

bool RanksBefore(const Merit& a, const Merit& b) {
  const auto rank = [](const Merit& m) { return std::tuple(m.measured(), m.quantized, m.value, -m.loss); };
  return rank(a) > rank(b);
}

bool IsBetterBeyondChance(const Merit& a, const Merit& b) {
  if (!RanksBefore(a, b)) return false;
  if (a.quantized != b.quantized || !b.measured()) return true;
  const double error = std::hypot(a.standard_error, b.standard_error);
  // Not known: the order alone decides, as it always did for such files.
  return error == 0 || a.value - b.value > kChanceErrors * error;
}

const Merit& TakenOf(const Merit& best, const Merit& last) {
  return IsBetterBeyondChance(best, last) ? best : last;
}

}  // namespace qat
