#include "train/loss.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "base/check.h"
#include "contract/task.h"
#include "predict/predictor.h"

namespace qat {
namespace {

// What one row is to be: the smoothed label, each part times the weight of its class.
void SetTargets(int32_t label, double smoothing, std::span<const float> weights,
                std::vector<double>& targets) {
  for (size_t c = 0; c < targets.size(); ++c) {
    targets[c] =
        smoothing / static_cast<double>(targets.size()) + (std::cmp_equal(c, label) ? 1 - smoothing : 0);
    if (!weights.empty()) targets[c] *= weights[c];
  }
}

// -sum of targets * log softmax for one row; leaves softmax in `softmax`.
double RowLoss(std::span<const float> logits, const std::vector<double>& targets,
               std::vector<double>& softmax) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (size_t c = 0; c < logits.size(); ++c) sum += softmax[c] = std::exp(double{logits[c]} - largest);
  for (double& value : softmax) value /= sum;
  const double log_sum = std::log(sum);
  double loss = 0;
  for (size_t c = 0; c < logits.size(); ++c) {
    // Where nothing is wanted, a logit may be infinitely small.
    if (targets[c] != 0) loss += targets[c] * (log_sum - (logits[c] - largest));
  }
  return loss;
}

// Probabilities and their logarithms of one row of logits over T.
void SoftmaxAt(std::span<const float> logits, double temperature, std::vector<double>& p,
               std::vector<double>& log_p) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (size_t c = 0; c < logits.size(); ++c) {
    log_p[c] = (logits[c] - largest) / temperature;
    sum += p[c] = std::exp(log_p[c]);
  }
  for (size_t c = 0; c < logits.size(); ++c) {
    p[c] /= sum;
    log_p[c] -= std::log(sum);
  }
}

// T^2 times the divergence of one row of a network from its teacher's; leaves the gradient in `slopes`.
class RowDivergence {
 public:
  RowDivergence(const Distillation& distillation, size_t width)
      : teacher_(distillation.teacher),
        temperature_(distillation.temperature),
        p_(width),
        log_p_(width),
        q_(width),
        log_q_(width) {}

  double Of(std::span<const float> logits, size_t row, std::vector<double>& slopes) {
    SoftmaxAt(teacher_.subspan(row * logits.size(), logits.size()), temperature_, p_, log_p_);
    SoftmaxAt(logits, temperature_, q_, log_q_);
    double sum = 0;
    for (size_t c = 0; c < logits.size(); ++c) {
      // A probability that is 0 has no part; its logarithm is finite.
      sum += p_[c] * (log_p_[c] - log_q_[c]);
      slopes[c] = temperature_ * (q_[c] - p_[c]);
    }
    return temperature_ * temperature_ * sum;
  }

 private:
  std::span<const float> teacher_;
  double temperature_;
  std::vector<double> p_, log_p_, q_, log_q_;
};

// -log p and -log(1 - p), and their slopes.
struct Binary {
  double yes, no, yes_slope, no_slope;
};

// p = sigmoid(score).
Binary OfScore(double score) {
  const double tail = std::log1p(std::exp(-std::abs(score)));
  const double p = 1 / (1 + std::exp(-score));
  return {std::max(-score, 0.0) + tail, std::max(score, 0.0) + tail, p - 1, p};
}

Binary OfProbability(double p) {
  constexpr double kLeast = 1.0 / 512;
  p = std::isnan(p) ? p : std::clamp(p, kLeast, 1 - kLeast);
  return {-std::log(p), -std::log(1 - p), -1 / p, 1 / (1 - p)};
}

}  // namespace

LossResult SoftmaxCrossEntropy(std::span<const float> logits, std::span<const int32_t> labels,
                               int64_t classes, double smoothing, std::span<float> gradient,
                               std::span<const float> weights, const Distillation& distillation) {
  const size_t rows = labels.size();
  const auto width = static_cast<size_t>(classes);
  QAT_CHECK(logits.size() == rows * width && (gradient.empty() || gradient.size() == logits.size()));
  const bool taught = !distillation.teacher.empty();
  QAT_CHECK(!taught || distillation.teacher.size() == logits.size());
  const double from_teacher = taught ? distillation.weight : 0;
  RowDivergence divergence(distillation, taught ? width : 0);
  std::vector<double> softmax(width), targets(width), slopes(width);
  LossResult result;
  double total = 0;
  const auto weight_of = [&](int32_t label) {
    return weights.empty() ? 1.0 : double{weights[static_cast<size_t>(label)]};
  };
  for (const int32_t label : labels) {
    if (label == kIgnoredLabel) continue;
    total += weight_of(label);
    ++result.counted;
  }
  result.weight = total;
  for (size_t n = 0; n < rows; ++n) {
    const std::span<const float> row = logits.subspan(n * width, width);
    const int32_t label = labels[n];
    const bool ignored = label == kIgnoredLabel;
    if (ignored) {
      if (!gradient.empty())
        std::fill_n(gradient.begin() + static_cast<std::ptrdiff_t>(n * width), width, 0.0f);
      continue;
    }
    const double share = total <= 0 ? 0 : 1 / total;
    const double taught_share = weight_of(label) * from_teacher;
    SetTargets(label, smoothing, weights, targets);
    result.loss += (1 - from_teacher) * RowLoss(row, targets, softmax) * share;
    if (taught) result.loss += taught_share * divergence.Of(row, n, slopes) * share;
    result.correct += std::max_element(row.begin(), row.end()) - row.begin() == label;
    if (gradient.empty()) continue;
    const double sum = weights.empty() ? 1 : std::accumulate(targets.begin(), targets.end(), 0.0);
    for (size_t c = 0; c < width; ++c) {
      gradient[n * width + c] = static_cast<float>(
          ((1 - from_teacher) * (softmax[c] * sum - targets[c]) + taught_share * slopes[c]) * share);
    }
  }
  return result;
}

LossResult BinaryCrossEntropy(std::span<const float> scores, std::span<const int32_t> labels,
                              const BinaryOptions& options, std::span<float> gradient) {
  QAT_CHECK(scores.size() == labels.size() && (gradient.empty() || gradient.size() == scores.size()));
  const auto period = static_cast<size_t>(options.period);
  // What the two terms of a value weigh.
  const auto weights_of = [&](size_t i) -> std::pair<double, double> {
    if (options.weights.empty()) return {1, 1};
    if (period > 0) return {1, options.weights[i % period]};
    return {options.weights[0], options.weights[1]};
  };
  LossResult result;
  double total = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == kIgnoredLabel) continue;
    ++result.counted;
    total += period > 0 ? 1 : (labels[i] == 1 ? weights_of(i).second : weights_of(i).first);
  }
  result.weight = total;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (labels[i] == kIgnoredLabel || total <= 0) {
      if (!gradient.empty()) gradient[i] = 0;
      continue;
    }
    const auto [no, yes] = weights_of(i);
    const double target = labels[i] * (1 - options.smoothing) + options.smoothing / 2;
    const Binary terms = options.probabilities ? OfProbability(scores[i]) : OfScore(scores[i]);
    result.loss += (yes * target * terms.yes + no * (1 - target) * terms.no) / total;
    result.correct += IsYes(scores[i], options.probabilities) == (labels[i] == 1);
    if (!gradient.empty())
      gradient[i] =
          static_cast<float>((yes * target * terms.yes_slope + no * (1 - target) * terms.no_slope) / total);
  }
  return result;
}

LossResult MeanSquaredError(std::span<const float> outputs, std::span<const float> targets,
                            std::span<float> gradient) {
  QAT_CHECK(outputs.size() == targets.size() && (gradient.empty() || gradient.size() == outputs.size()));
  LossResult result;
  result.counted =
      std::count_if(targets.begin(), targets.end(), [](float target) { return !std::isnan(target); });
  const auto count = static_cast<double>(result.counted);
  result.weight = count;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (std::isnan(targets[i])) {
      if (!gradient.empty()) gradient[i] = 0;
      continue;
    }
    const double error = double{outputs[i]} - double{targets[i]};
    result.loss += error * error / count;
    if (!gradient.empty()) gradient[i] = static_cast<float>(2 * error / count);
  }
  return result;
}

}  // namespace qat
