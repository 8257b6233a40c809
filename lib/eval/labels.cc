#include "eval/labels.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/check.h"
#include "eval/statistics.h"

namespace qat {
namespace {

// Indices of labels 0 and 1, by score, the largest first.
std::vector<size_t> Ranked(std::span<const double> scores, std::span<const int32_t> labels) {
  std::vector<size_t> order;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == 0 || labels[i] == 1) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  return order;
}

// Calls use(positives, negatives) for each group of equal scores.
template <class Use>
void ForEachScore(std::span<const double> scores, std::span<const int32_t> labels, const Use& use) {
  const std::vector<size_t> order = Ranked(scores, labels);
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin;
    double positives = 0;
    for (; end < order.size() && scores[order[end]] == scores[order[begin]]; ++end)
      positives += labels[order[end]];
    use(positives, static_cast<double>(end - begin) - positives);
    begin = end;
  }
}

// Of an AUC (Hanley and McNeil 1982).
Interval AucInterval(double auc, double positives, double negatives) {
  constexpr double kZ = 1.959963984540054;
  const double q1 = auc / (2 - auc), q2 = 2 * auc * auc / (1 + auc);
  const double variance =
      (auc * (1 - auc) + (positives - 1) * (q1 - auc * auc) + (negatives - 1) * (q2 - auc * auc)) /
      (positives * negatives);
  const double half = kZ * std::sqrt(std::max(variance, 0.0));
  return {std::max(auc - half, 0.0), std::min(auc + half, 1.0)};
}

}  // namespace

std::optional<double> AucOf(std::span<const double> scores, std::span<const int32_t> labels) {
  QAT_CHECK(scores.size() == labels.size());
  double above = 0, right = 0, negatives = 0;  // positives above; pairs in order
  ForEachScore(scores, labels, [&](double yes, double no) {
    right += no * (above + yes / 2);
    above += yes;
    negatives += no;
  });
  if (above == 0 || negatives == 0) return std::nullopt;
  return right / (above * negatives);
}

std::optional<double> AveragePrecisionOf(std::span<const double> scores, std::span<const int32_t> labels) {
  QAT_CHECK(scores.size() == labels.size());
  double found = 0, answered = 0, sum = 0;
  ForEachScore(scores, labels, [&](double yes, double no) {
    found += yes;
    answered += yes + no;
    sum += yes * found / answered;
  });
  return found > 0 ? std::optional(sum / found) : std::nullopt;
}

void AnswerYesNo(Predictions& predictions) {
  QAT_CHECK(!predictions.scores.empty());
  predictions.labels.clear();
  for (const float score : predictions.scores)
    predictions.labels.push_back(IsYes(score, predictions.probabilities));
  predictions.classes = 1;
}

LabelsResult JudgeLabels(const Predictions& predictions, std::span<const int32_t> labels, int64_t width) {
  QAT_CHECK(width > 0 && !labels.empty() && predictions.labels.size() == labels.size());
  const auto stride = static_cast<size_t>(width), examples = labels.size() / stride;
  LabelsResult result;
  result.examples = static_cast<int64_t>(examples);
  for (size_t n = 0; n < examples; ++n)
    result.exact += std::equal(labels.begin() + static_cast<std::ptrdiff_t>(n * stride),
                               labels.begin() + static_cast<std::ptrdiff_t>((n + 1) * stride),
                               predictions.labels.begin() + static_cast<std::ptrdiff_t>(n * stride));
  std::vector<double> scores(examples);
  std::vector<int32_t> own(examples);
  for (size_t k = 0; k < stride; ++k) {
    LabelCount& count = result.labels.emplace_back();
    for (size_t n = 0; n < examples; ++n) {
      const size_t at = n * stride + k;
      own[n] = labels[at];
      if (!predictions.scores.empty()) scores[n] = predictions.scores[at];
      if (labels[at] == kIgnoredLabel) continue;
      ++count.total;
      count.positives += labels[at];
      count.answers += predictions.labels[at];
      count.found += labels[at] == 1 && predictions.labels[at] == 1;
    }
    if (predictions.scores.empty()) continue;
    count.auc = AucOf(scores, own);
    count.average_precision = AveragePrecisionOf(scores, own);
  }
  return result;
}

double LabelsDifferP(const Predictions& a, const Predictions& b, std::span<const int32_t> labels,
                     int64_t width) {
  const auto stride = static_cast<size_t>(width);
  int64_t more = 0, fewer = 0;
  for (size_t first = 0; first < labels.size(); first += stride) {
    int64_t wrong_a = 0, wrong_b = 0;
    for (size_t i = first; i < first + stride; ++i) {
      wrong_a += a.labels[i] != labels[i];
      wrong_b += b.labels[i] != labels[i];
    }
    more += wrong_b > wrong_a;
    fewer += wrong_b < wrong_a;
  }
  return McNemarP(more, fewer);
}

std::optional<AnomalyResult> JudgeAnomalies(std::span<const float> answers, std::span<const float> numbers,
                                            std::span<const float> std, std::span<const int32_t> anomalies) {
  if (anomalies.empty()) return std::nullopt;
  const size_t values = numbers.size() / anomalies.size();
  std::vector<double> errors(anomalies.size(), 0);
  for (size_t i = 0; i < numbers.size(); ++i) {
    const double unit = std.empty() ? 1.0 : double{std[i % values % std.size()]};
    const double error = (double{answers[i]} - double{numbers[i]}) / unit;
    errors[i / values] += error * error / static_cast<double>(values);
  }
  const std::optional<double> auc = AucOf(errors, anomalies);
  if (!auc) return std::nullopt;
  AnomalyResult result;
  result.auc = *auc;
  result.anomalous = std::count(anomalies.begin(), anomalies.end(), 1);
  result.normal = std::ssize(anomalies) - result.anomalous;
  result.interval =
      AucInterval(*auc, static_cast<double>(result.anomalous), static_cast<double>(result.normal));
  return result;
}

}  // namespace qat
