#include "eval/accuracy.h"

#include <algorithm>

#include "base/check.h"
#include "base/strings.h"
#include "eval/labels.h"
#include "eval/statistics.h"

namespace qat {
namespace {

constexpr int64_t kBatch = 250;

// "digits", of several outputs "scenes.npz: output 'class'".
std::string PlaceOf(const Dataset& dataset, const OutputLabels& labels) {
  return labels.output.empty() ? dataset.name : StrCat(dataset.name, ": output '", labels.output, "'");
}

Status CheckLabels(const Predictor& predictor, int32_t classes, const Dataset& dataset,
                   const OutputLabels& labels) {
  if (classes == 0 || labels.labels.empty() || labels.task != Task::kClasses) return {};
  const int32_t largest = *std::max_element(labels.labels.begin(), labels.labels.end());
  if (largest < classes) return {};
  return Corrupt(StrCat(PlaceOf(dataset, labels), ": has the label ", largest, ", expected labels under ",
                        classes, " (", predictor.name(), " has ", classes, " outputs)"));
}

std::string AnswersText(int64_t answers) {
  return answers == 1 ? std::string("one per image") : StrCat(answers, " per image");
}

Status CheckAnswers(const Predictor& predictor, int64_t answers, const Dataset& dataset,
                    const OutputLabels& labels) {
  if (answers == labels.LabelsPerImage() || IsOfNumbers(labels.task)) return {};
  return Corrupt(StrCat(PlaceOf(dataset, labels), ": labels are ", AnswersText(labels.LabelsPerImage()),
                        ", expected ", AnswersText(answers), ", as ", predictor.name(), " answers"));
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
    if (batch.others.size() < dataset.others.size()) {
      return Corrupt(StrCat(dataset.name, ": has labels for ", dataset.output_count(),
                            " outputs, expected one, as ", predictor.name(), " answers"));
    }
    all.others.resize(dataset.others.size());
    for (size_t i = 0; i < dataset.output_count(); ++i) {
      Predictions& own = i == 0 ? batch : batch.others[i - 1];
      const OutputLabels& labels = dataset.output_labels(i);
      if (IsOfYesNo(labels.task) && !own.scores.empty()) AnswerYesNo(own);
      QAT_RETURN_IF_ERROR(
          CheckAnswers(predictor, static_cast<int64_t>(own.labels.size()) / count, dataset, labels));
      Append(own, i == 0 ? all : all.others[i - 1]);
    }
    hooks.Progress(StrCat("answers of ", predictor.name()), first + count, dataset.size());
    return {};
  };
  QAT_RETURN_IF_ERROR(ForEachBatch(dataset, kBatch, predict));
  for (size_t i = 0; i < dataset.output_count(); ++i) {
    const int32_t classes = i == 0 ? all.classes : all.others[i - 1].classes;
    QAT_RETURN_IF_ERROR(CheckLabels(predictor, classes, dataset, dataset.output_labels(i)));
  }
  return all;
}

Predictions WithoutIgnored(const Predictions& predictions, std::span<const int32_t> labels,
                           std::vector<int32_t>& known) {
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
