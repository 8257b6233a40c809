#include "debug/quality.h"

#include <cmath>
#include <span>
#include <vector>

#include "base/strings.h"
#include "eval/accuracy.h"
#include "eval/regression.h"
#include "report/answer_facts.h"
#include "report/class_figures.h"
#include "report/text_format.h"

namespace qat {
namespace {

std::string WorthlessText(std::span<const int32_t> answers, std::span<const int32_t> labels,
                          int64_t examples) {
  ClassFacts facts;
  facts.Add(labels, answers);
  if (!IsAtChance(facts.counts(), examples)) return "";
  return StrCat(GuessingText(facts.counts()), " (", AccuraciesText(facts.counts()), ")");
}

}  // namespace

Expected<Quality> MeasureQuality(Predictor& predictor, const Dataset& dataset, const WorkHooks& hooks) {
  Quality quality;
  QAT_ASSIGN_OR_RETURN(quality.predictions, PredictAll(predictor, dataset, hooks));
  quality.of_numbers = IsOfNumbers(dataset.task);
  if (quality.of_numbers) {
    QAT_RETURN_IF_ERROR(CheckNumbers(predictor.name(), quality.predictions, dataset));
    std::vector<float> numbers = quality.predictions.scores;
    const auto& outputs = predictor.contract().outputs;
    const OutputContract output = outputs.empty() ? OutputContract() : outputs.front();
    RestoreTargets(output, numbers);
    const RegressionResult errors =
        MeasureErrors(numbers, dataset.numbers, dataset.targets, UnitsOf(dataset, dataset.numbers, output));
    quality.value = errors.relative_rmse.value_or(errors.all.rmse);
    if (errors.all.r2 && *errors.all.r2 < 0 && dataset.size() >= kLeastForR2)
      quality.worthless =
          StrCat("worse than always answering the mean of the labels (R² ", Significant(*errors.all.r2), ")");
    return quality;
  }
  std::vector<int32_t> known;
  const Predictions kept = WithoutIgnored(quality.predictions, dataset.labels, known);
  const Predictions& judged = known.empty() ? quality.predictions : kept;
  const std::vector<int32_t>& labels = known.empty() ? dataset.labels : known;
  quality.value = AccuracyOf(judged, labels).top1;
  if (dataset.task != Task::kMultiLabel)
    quality.worthless = WorthlessText(judged.labels, labels, dataset.size());
  return quality;
}

double LossOf(const Quality& reference, const Quality& other) {
  if (!reference.of_numbers) return reference.value - other.value;
  return reference.value > 0 ? 100 * (other.value / reference.value - 1) : 0;
}

std::optional<double> DecibelsOf(double signal, double noise) {
  if (!(signal > 0) || !(noise > 0)) return std::nullopt;
  return 10 * std::log10(signal / noise);
}

std::optional<double> OutputSqnr(const Quality& reference, const Quality& other) {
  const std::vector<float>& real = reference.predictions.scores;
  const std::vector<float>& rounded = other.predictions.scores;
  if (real.size() != rounded.size()) return std::nullopt;
  double signal = 0, noise = 0;
  for (size_t i = 0; i < real.size(); ++i) {
    const double apart = double{real[i]} - rounded[i];
    signal += double{real[i]} * real[i];
    noise += apart * apart;
  }
  return DecibelsOf(signal, noise);
}

}  // namespace qat
