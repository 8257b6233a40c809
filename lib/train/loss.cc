#include "train/loss.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/check.h"

namespace qat {
namespace {

// -sum of t * log softmax for one row; leaves softmax in `softmax`.
double RowLoss(std::span<const float> logits, int32_t label, double smoothing, std::vector<double>& softmax) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  double mean_shifted = 0;
  for (size_t c = 0; c < logits.size(); ++c) {
    const double shifted = logits[c] - largest;
    softmax[c] = std::exp(shifted);
    sum += softmax[c];
    mean_shifted += shifted / static_cast<double>(logits.size());
  }
  for (double& value : softmax) value /= sum;
  const double log_sum = std::log(sum);
  const double picked = logits[static_cast<size_t>(label)] - largest;
  return log_sum - (1 - smoothing) * picked - smoothing * mean_shifted;
}

}  // namespace

LossResult SoftmaxCrossEntropy(std::span<const float> logits, std::span<const int32_t> labels,
                               int64_t classes, double smoothing, std::span<float> gradient) {
  const size_t rows = labels.size();
  const auto width = static_cast<size_t>(classes);
  QAT_CHECK(logits.size() == rows * width && (gradient.empty() || gradient.size() == logits.size()));
  std::vector<double> softmax(width);
  LossResult result;
  for (size_t n = 0; n < rows; ++n) {
    const std::span<const float> row = logits.subspan(n * width, width);
    const int32_t label = labels[n];
    result.loss += RowLoss(row, label, smoothing, softmax) / static_cast<double>(rows);
    result.correct += std::max_element(row.begin(), row.end()) - row.begin() == label;
    if (gradient.empty()) continue;
    for (size_t c = 0; c < width; ++c) {
      const double target =
          smoothing / static_cast<double>(width) + (static_cast<int32_t>(c) == label ? 1 - smoothing : 0);
      gradient[n * width + c] = static_cast<float>((softmax[c] - target) / static_cast<double>(rows));
    }
  }
  return result;
}

LossResult MeanSquaredError(std::span<const float> outputs, std::span<const float> targets,
                            std::span<float> gradient) {
  QAT_CHECK(outputs.size() == targets.size() && (gradient.empty() || gradient.size() == outputs.size()));
  const auto count = static_cast<double>(outputs.size());
  LossResult result;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const double error = double{outputs[i]} - double{targets[i]};
    result.loss += error * error / count;
    if (!gradient.empty()) gradient[i] = static_cast<float>(2 * error / count);
  }
  return result;
}

}  // namespace qat
