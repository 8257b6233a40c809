#include "eval/accuracy.h"

#include <algorithm>

#include "base/check.h"
#include "base/strings.h"
#include "eval/labels.h"
#include "eval/statistics.h"

namespace qat {
namespace {

constexpr int64_t kBatch = 250;

Status CheckLabels(const Predictor& predictor, int32_t classes, const Dataset& dataset) {
  if (classes == 0 || dataset.labels.empty() || dataset.task != Task::kClasses) return {};
  const int32_t largest = *std::max_element(dataset.labels.begin(), dataset.labels.end());
  if (largest < classes) return {};
  return Corrupt(StrCat(dataset.name, ": has the label ", largest, ", expected labels under ", classes, " (",
                        predictor.name(), " has ", classes, " outputs)"));
}

std::string AnswersText(int64_t answers) {
  return answers == 1 ? std::string("one per image") : StrCat(answers, " per image");
}

Status CheckAnswers(const Predictor& predictor, int64_t answers, const Dataset& dataset) {
  if (answers == dataset.LabelsPerImage() || IsOfNumbers(dataset.task)) return {};
  return Corrupt(StrCat(dataset.name, ": labels are ", AnswersText(dataset.LabelsPerImage()), ", expected ",
                        AnswersText(answers), ", as ", predictor.name(), " answers"));
}

void Append(const Predictions& batch, Predictions& all) {
  all.labels.insert(all.labels.end(), batch.labels.begin(), batch.labels.end());
  all.scores.insert(all.scores.end(), batch.scores.begin(), batch.scores.end());
  all.classes = batch.classes;
  all.step = batch.step;
  all.probabilities = batch.probabilities;
}

}  // namespace

Status CheckContract(const Predictor& predictor, const Dataset& dataset) {
  return CheckInputs(dataset, predictor.contract(), predictor.name());
}

Expected<Predictions> PredictAll(Predictor& predictor, const Dataset& dataset, const WorkHooks& hooks) {
  QAT_RETURN_IF_ERROR(CheckContract(predictor, dataset));
  Predictions all;
  const auto predict = [&](int64_t first, int64_t count, std::span<const uint8_t> images) -> Status {
    QAT_RETURN_IF_ERROR(hooks.Poll());
    QAT_ASSIGN_OR_RETURN_IN(predictor.name(), Predictions batch, predictor.Predict(images, count));
    if (IsOfYesNo(dataset.task) && !batch.scores.empty()) AnswerYesNo(batch);
    QAT_RETURN_IF_ERROR(CheckAnswers(predictor, static_cast<int64_t>(batch.labels.size()) / count, dataset));
    Append(batch, all);
    hooks.Progress(StrCat("accuracy of ", predictor.name()), first + count, dataset.size());
    return {};
  };
  QAT_RETURN_IF_ERROR(ForEachBatch(dataset, kBatch, predict));
  QAT_RETURN_IF_ERROR(CheckLabels(predictor, all.classes, dataset));
  return all;
}

Predictions WithoutIgnored(const Predictions& predictions, std::span<const int32_t> labels, std::vector<int32_t>& known) {
  Predictions kept;
  if (std::find(labels.begin(), labels.end(), kIgnoredLabel) == labels.end()) return kept;
  kept.classes = predictions.classes;
  kept.step = predictions.step;
  kept.probabilities = predictions.probabilities;
  const auto classes = static_cast<std::ptrdiff_t>(predictions.classes);
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == kIgnoredLabel) continue;
    known.push_back(labels[i]);
    kept.labels.push_back(predictions.labels[i]);
    if (predictions.scores.empty()) continue;
    const auto first = predictions.scores.begin() + static_cast<std::ptrdiff_t>(i) * classes;
    kept.scores.insert(kept.scores.end(), first, first + classes);
  }
  return kept;
}

AccuracyResult AccuracyOf(const Predictions& predictions, std::span<const int32_t> labels) {
  QAT_CHECK(predictions.labels.size() == labels.size() && !labels.empty());
  AccuracyResult result;
  result.total = static_cast<int64_t>(labels.size());
  for (size_t i = 0; i < labels.size(); ++i) result.correct += predictions.labels[i] == labels[i];
  result.top1 = 100.0 * static_cast<double>(result.correct) / static_cast<double>(result.total);
  const Interval interval = WilsonInterval(result.correct, result.total);
  result.interval = Interval{100 * interval.low, 100 * interval.high};
  return result;
}

}  // namespace qat
