#include "report/label_figures.h"

#include <functional>

namespace qat {
namespace {

std::optional<double> Share(int64_t part, int64_t whole) {
  if (whole == 0) return std::nullopt;
  return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

std::optional<double> Mean(const LabelsResult& result,
                           const std::function<std::optional<double>(const LabelCount&)>& figure) {
  double sum = 0, count = 0;
  for (const LabelCount& label : result.labels) {
    const std::optional<double> own = figure(label);
    if (!own) continue;
    sum += *own;
    ++count;
  }
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

}  // namespace

std::optional<double> PrecisionOf(const LabelCount& count) { return Share(count.found, count.answers); }
std::optional<double> RecallOf(const LabelCount& count) { return Share(count.found, count.positives); }
std::optional<double> F1Of(const LabelCount& count) {
  return Share(2 * count.found, count.answers + count.positives);
}

double AccuracyOf(const LabelCount& count) {
  return Share(count.total - count.positives - count.answers + 2 * count.found, count.total).value_or(0);
}

std::optional<double> MeanF1(const LabelsResult& result) { return Mean(result, F1Of); }
std::optional<double> MeanAuc(const LabelsResult& result) {
  return Mean(result, [](const LabelCount& count) { return count.auc; });
}
std::optional<double> MeanAveragePrecision(const LabelsResult& result) {
  return Mean(result, [](const LabelCount& count) { return count.average_precision; });
}

std::optional<double> PooledF1(const LabelsResult& result) {
  LabelCount all;
  for (const LabelCount& label : result.labels) {
    all.positives += label.positives;
    all.answers += label.answers;
    all.found += label.found;
  }
  return F1Of(all);
}

double ExactMatch(const LabelsResult& result) { return Share(result.exact, result.examples).value_or(0); }

}  // namespace qat
