#include "eval/classification.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"

namespace qat {
namespace {

constexpr size_t kMostConfusionClasses = 100;
constexpr size_t kBins = 15;
constexpr double kSumTolerance = 0.02;  // ten probabilities in steps of 1/256, each rounded

std::span<const float> ScoresOf(const Predictions& predictions, size_t image) {
  const auto classes = static_cast<size_t>(predictions.classes);
  return std::span(predictions.scores).subspan(image * classes, classes);
}

// Classes that are better than `label`.
int32_t RankOf(std::span<const float> scores, int32_t label) {
  const float own = scores[static_cast<size_t>(label)];
  int32_t rank = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    rank += scores[i] > own || (scores[i] == own && i < static_cast<size_t>(label));
  }
  return rank;
}

bool AreProbabilities(const Predictions& predictions, size_t images) {
  for (size_t i = 0; i < images; ++i) {
    double sum = 0;
    for (const float score : ScoresOf(predictions, i)) {
      if (!(score >= 0)) return false;
      sum += score;
    }
    if (std::abs(sum - 1) > kSumTolerance) return false;
  }
  return true;
}

double LargestSoftmax(std::span<const float> scores) {
  const float largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (const float score : scores) sum += std::exp(double{score} - largest);
  return 1 / sum;
}

size_t ClassesOf(const Predictions& predictions, std::span<const int32_t> labels) {
  int32_t classes = predictions.classes;
  for (const int32_t label : labels) classes = std::max(classes, label + 1);
  for (const int32_t label : predictions.labels) classes = std::max(classes, label + 1);
  return static_cast<size_t>(classes);
}

std::vector<ClassCount> CountClasses(const Predictions& predictions, std::span<const int32_t> labels) {
  std::vector<ClassCount> counts(ClassesOf(predictions, labels), ClassCount{0, 0, 0});
  for (size_t i = 0; i < labels.size(); ++i) {
    ClassCount& label = counts[static_cast<size_t>(labels[i])];
    ++label.total;
    label.correct += predictions.labels[i] == labels[i];
    ++*counts[static_cast<size_t>(predictions.labels[i])].answers;
  }
  return counts;
}

std::vector<std::vector<int64_t>> Confusion(const Predictions& predictions, std::span<const int32_t> labels) {
  const size_t size = ClassesOf(predictions, labels);
  if (size > kMostConfusionClasses) return {};
  std::vector<std::vector<int64_t>> confusion(size, std::vector<int64_t>(size, 0));
  for (size_t i = 0; i < labels.size(); ++i) {
    ++confusion[static_cast<size_t>(labels[i])][static_cast<size_t>(predictions.labels[i])];
  }
  return confusion;
}

}  // namespace

std::vector<double> Confidences(const Predictions& predictions) {
  std::vector<double> confidences;
  if (predictions.scores.empty()) return confidences;
  const size_t images = predictions.labels.size();
  if (predictions.classes == 1) {
    for (const float score : predictions.scores) {
      const double yes = predictions.probabilities ? double{score} : 1 / (1 + std::exp(-double{score}));
      confidences.push_back(std::max(yes, 1 - yes));
    }
    return confidences;
  }
  const bool probabilities = AreProbabilities(predictions, images);
  for (size_t i = 0; i < images; ++i) {
    const auto scores = ScoresOf(predictions, i);
    confidences.push_back(probabilities ? double{*std::max_element(scores.begin(), scores.end())}
                                        : LargestSoftmax(scores));
  }
  return confidences;
}

double CalibrationError(const Predictions& predictions, std::span<const int32_t> labels) {
  QAT_CHECK(predictions.classes > 0 &&
            predictions.scores.size() == labels.size() * static_cast<size_t>(predictions.classes));
  struct Bin {
    double confidence = 0;
    int64_t right = 0;
  };
  std::array<Bin, kBins> bins;
  const std::vector<double> confidences = Confidences(predictions);
  for (size_t i = 0; i < labels.size(); ++i) {
    Bin& bin = bins[std::min(static_cast<size_t>(confidences[i] * kBins), kBins - 1)];
    bin.confidence += confidences[i];
    bin.right += predictions.labels[i] == labels[i];
  }
  double error = 0;
  for (const Bin& bin : bins) error += std::abs(static_cast<double>(bin.right) - bin.confidence);
  return 100 * error / static_cast<double>(labels.size());
}

double MeanIou(std::span<const int32_t> answers, std::span<const int32_t> labels) {
  QAT_CHECK(!labels.empty() && answers.size() == labels.size());
  struct Class {
    int64_t both = 0, either = 0;
  };
  const int32_t largest = std::max(*std::max_element(answers.begin(), answers.end()),
                                   *std::max_element(labels.begin(), labels.end()));
  std::vector<Class> classes(static_cast<size_t>(largest) + 1);
  for (size_t i = 0; i < labels.size(); ++i) {
    Class& label = classes[static_cast<size_t>(labels[i])];
    ++label.either;
    if (answers[i] == labels[i]) {
      ++label.both;
    } else {
      ++classes[static_cast<size_t>(answers[i])].either;
    }
  }
  double sum = 0;
  int64_t present = 0;
  for (const Class& each : classes) {
    if (each.either == 0) continue;
    sum += static_cast<double>(each.both) / static_cast<double>(each.either);
    ++present;
  }
  return 100 * sum / static_cast<double>(present);
}

ClassificationResult Classify(const Predictions& predictions, std::span<const int32_t> labels,
                              std::span<const int32_t> ks) {
  QAT_CHECK(!labels.empty() && predictions.labels.size() == labels.size());
  ClassificationResult result;
  result.confusion = Confusion(predictions, labels);
  result.classes = CountClasses(predictions, labels);
  if (predictions.scores.empty()) return result;
  if (predictions.classes == 1) {
    result.calibration_error = CalibrationError(predictions, labels);
    return result;
  }
  std::vector<int64_t> at_rank(static_cast<size_t>(predictions.classes), 0);
  for (size_t i = 0; i < labels.size(); ++i) {
    ++at_rank[static_cast<size_t>(RankOf(ScoresOf(predictions, i), labels[i]))];
  }
  for (const int32_t k : ks) {
    QAT_CHECK(k >= 1);
    if (k >= predictions.classes) continue;
    int64_t correct = 0;
    for (int32_t rank = 0; rank < k; ++rank) correct += at_rank[static_cast<size_t>(rank)];
    result.topk_correct[k] = correct;
  }
  result.calibration_error = CalibrationError(predictions, labels);
  return result;
}

}  // namespace qat
