#include "train/task_loss.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "predict/predictor.h"

namespace qat {
namespace {

double VarianceOf(std::span<const float> numbers) {
  double sum = 0, squares = 0;
  double count = 0;
  for (const float number : numbers) {
    if (std::isnan(number)) continue;
    sum += number;
    squares += double{number} * number;
    ++count;
  }
  if (count == 0) return 0;
  return std::max(squares / count - sum / count * (sum / count), 0.0);
}

}  // namespace

LossResult TaskLoss::Of(std::span<const float> outputs, int64_t width, Wanted wanted,
                        std::span<float> gradient) const {
  if (output.task == Task::kYesNo || output.task == Task::kMultiLabel) {
    const bool of_labels = output.task == Task::kMultiLabel;
    return BinaryCrossEntropy(outputs, wanted.labels,
                              {smoothing, weights, of_labels ? width : 0, probabilities}, gradient);
  }
  if (!IsOfNumbers(output.task)) {
    return SoftmaxCrossEntropy(outputs, wanted.labels, width, smoothing, gradient, weights,
                               {wanted.teacher, teacher_weight, teacher_temperature});
  }
  if (InDeviations()) {
    std::vector<float> targets(wanted.numbers.begin(), wanted.numbers.end());
    NormalizeTargets(output, targets);
    return MeanSquaredError(outputs, targets, gradient);
  }
  std::vector<float> restored(outputs.begin(), outputs.end());
  RestoreTargets(output, restored);
  const LossResult result = MeanSquaredError(restored, wanted.numbers, gradient);
  const size_t n = output.std.size();
  for (size_t i = 0; n > 0 && i < gradient.size(); ++i) gradient[i] /= output.std[i % n];
  return result;
}

std::vector<int32_t> TaskLoss::AnswersOf(std::span<const float> outputs, int64_t width) const {
  std::vector<int32_t> answers;
  if (IsOfYesNo(output.task)) {
    for (const float score : outputs) answers.push_back(IsYes(score, probabilities));
    return answers;
  }
  const auto classes = static_cast<size_t>(width);
  for (size_t row = 0; row < outputs.size(); row += classes)
    answers.push_back(ArgMaxOf(outputs.subspan(row, classes)));
  return answers;
}

double TaskLoss::Chance(int64_t width, Wanted wanted) const {
  if (IsOfNumbers(output.task)) {
    std::vector<float> targets(wanted.numbers.begin(), wanted.numbers.end());
    if (InDeviations()) NormalizeTargets(output, targets);
    return VarianceOf(targets);
  }
  if (!wanted.teacher.empty()) return Of(std::vector<float>(wanted.teacher.size()), width, wanted, {}).loss;
  if (!IsOfYesNo(output.task)) return std::log(static_cast<double>(width));
  const bool weighted = output.task == Task::kMultiLabel && !weights.empty();
  return std::log(2.0) *
         (weighted ? std::max(1.0f, *std::max_element(weights.begin(), weights.end())) : 1.0f);
}

}  // namespace qat
