#include "eval/measure_answers.h"

#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "eval/accuracy.h"
#include "eval/classification.h"
#include "eval/labels.h"
#include "eval/regression.h"

namespace qat {

std::vector<float> Known(std::span<const float> values, std::span<const float> wanted, int32_t targets) {
  std::vector<float> known;
  const auto width = static_cast<size_t>(targets);
  for (size_t first = 0; first < wanted.size(); first += width) {
    const std::span<const float> own = wanted.subspan(first, width);
    if (std::any_of(own.begin(), own.end(), [](float number) { return std::isnan(number); })) continue;
    known.insert(known.end(), values.begin() + static_cast<std::ptrdiff_t>(first),
                 values.begin() + static_cast<std::ptrdiff_t>(first + width));
  }
  return known;
}

OutputContract OutputContractOf(const Row& row, size_t index) {
  const auto& outputs = row.predictor->contract().outputs;
  return index < outputs.size() ? outputs[index] : OutputContract();
}

namespace {

// 1 for each example that is an anomaly; empty where it is not known which class is normal.
std::vector<int32_t> AnomaliesOf(const Dataset& dataset, std::string_view normal) {
  const std::vector<std::string>& names = dataset.class_names;
  if (normal.empty() && names.size() == 2 && names.front() == "0") normal = names.front();
  if (normal.empty()) return {};
  std::vector<int32_t> anomalies;
  for (const int32_t label : dataset.labels) {
    const auto index = static_cast<size_t>(label);
    anomalies.push_back(index < names.size() && names[index] == normal ? 0 : 1);
  }
  return anomalies;
}

Status MeasureNumbers(const Dataset& dataset, size_t index, Row& row) {
  constexpr int32_t kMostTargets = 100;  // that are told one by one
  QAT_RETURN_IF_ERROR(CheckNumbers(row.result.name, row.predictions, dataset));
  row.numbers = row.predictions.scores;
  const OutputContract output = OutputContractOf(row, index);
  RestoreTargets(output, row.numbers);
  const std::vector<float> wanted = Known(dataset.numbers, dataset.numbers, dataset.targets);
  if (wanted.empty())
    return Corrupt(
        StrCat(dataset.name, ": output '", dataset.output, "': no example has all of its numbers"));
  row.result.regression = MeasureErrors(Known(row.numbers, dataset.numbers, dataset.targets), wanted,
                                        dataset.targets, UnitsOf(dataset, wanted, output));
  const bool reconstructs = dataset.task == Task::kReconstruction;
  if (reconstructs || dataset.targets > kMostTargets) row.result.regression->targets.clear();
  if (reconstructs && dataset.labelled)
    row.result.anomaly =
        JudgeAnomalies(row.numbers, dataset.numbers, output.std, AnomaliesOf(dataset, output.normal));
  return {};
}

Status MeasureLabels(const Dataset& dataset, std::span<const int32_t> topk, Row& row) {
  const auto is_known = [](int32_t label) { return label != kIgnoredLabel; };
  if (!dataset.output.empty() && std::none_of(dataset.labels.begin(), dataset.labels.end(), is_known))
    return Corrupt(StrCat(dataset.name, ": output '", dataset.output, "': no example has a label"));
  std::vector<int32_t> known;
  const Predictions kept = WithoutIgnored(row.predictions, dataset.labels, known);
  const std::span<const int32_t> labels = known.empty() ? std::span<const int32_t>(dataset.labels) : known;
  const Predictions& predictions = known.empty() ? row.predictions : kept;
  row.result.accuracy = AccuracyOf(predictions, labels);
  if (IsOfYesNo(dataset.task) && (dataset.task == Task::kMultiLabel || dataset.LabelsPerImage() == 1))
    row.result.labels = JudgeLabels(row.predictions, dataset.labels, dataset.LabelsPerImage());
  if (dataset.LabelsPerImage() > 1) row.result.accuracy->interval.reset();
  if (dataset.task == Task::kMultiLabel) return {};
  row.result.classification = Classify(predictions, labels, topk);
  if (dataset.LabelsPerImage() > 1) row.result.classification->mean_iou = MeanIou(predictions.labels, labels);
  return {};
}

}  // namespace

Status MeasureAnswers(std::span<const int32_t> topk, const Dataset& dataset, size_t index, Rows& rows) {
  for (Row& row : rows.rows) {
    QAT_RETURN_IF_ERROR(IsOfNumbers(dataset.task) ? MeasureNumbers(dataset, index, row)
                                                  : MeasureLabels(dataset, topk, row));
  }
  return {};
}

}  // namespace qat
