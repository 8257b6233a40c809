#include "eval/pairs.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "eval/statistics.h"

namespace qat {
namespace {

void CountFlips(const Predictions& a, const Predictions& b, std::span<const int32_t> labels,
                PairResult& pair) {
  PairedCounts counts;
  int64_t counted = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == kIgnoredLabel) continue;
    ++counted;
    const bool a_right = a.labels[i] == labels[i];
    const bool b_right = b.labels[i] == labels[i];
    pair.total_flips += a.labels[i] != b.labels[i];
    pair.right_to_wrong += a_right && !b_right;
    pair.wrong_to_right += !a_right && b_right;
    counts.both_right += a_right && b_right;
    counts.both_wrong += !a_right && !b_right;
  }
  counts.right_to_wrong = pair.right_to_wrong;
  counts.wrong_to_right = pair.wrong_to_right;
  pair.drop_pt = 100.0 * static_cast<double>(pair.right_to_wrong - pair.wrong_to_right) /
                 static_cast<double>(std::max<int64_t>(counted, 1));
  pair.mcnemar_p = McNemarP(pair.right_to_wrong, pair.wrong_to_right);
  Interval drop = PairedDifferenceInterval(counts);
  // One that leaves out what the exact test does not exclude would contradict it.
  if (*pair.mcnemar_p > kSignificance) drop = {std::min(drop.low, 0.0), std::max(drop.high, 0.0)};
  pair.drop_interval = Interval{100 * drop.low, 100 * drop.high};
}

void CompareScores(const Predictions& a, const Predictions& b, int64_t images, PairResult& pair) {
  if (a.scores.empty() || a.classes != b.classes || a.scores.size() != b.scores.size()) return;
  const bool common_step = a.step > 0 && a.step == b.step;
  double error = 0;
  int64_t steps = 0, equal = 0;
  const int64_t each = std::ssize(a.scores) / images;
  for (int64_t i = 0; i < images; ++i) {
    const auto scores = a.scores.begin() + i * each;
    equal += std::equal(scores, scores + each, b.scores.begin() + i * each);
  }
  for (size_t i = 0; i < a.scores.size(); ++i) {
    error = std::max(error, std::abs(double{a.scores[i]} - double{b.scores[i]}));
    if (common_step) {
      const int64_t a_steps = std::llround(double{a.scores[i]} / a.step);
      const int64_t b_steps = std::llround(double{b.scores[i]} / b.step);
      steps = std::max<int64_t>(steps, std::abs(a_steps - b_steps));
    }
  }
  pair.max_abs_error = error;
  pair.equal_outputs = equal;
  if (common_step) pair.max_abs_lsb = steps;
}

}  // namespace

PairResult ComparePair(const std::string& a_name, const Predictions& a, const std::string& b_name,
                       const Predictions& b, std::span<const int32_t> labels, int64_t images) {
  QAT_CHECK(!labels.empty() && a.labels.size() == labels.size() && b.labels.size() == labels.size());
  PairResult pair = CompareOutputs(a_name, a, b_name, b, images);
  CountFlips(a, b, labels, pair);
  return pair;
}

PairResult CompareOutputs(const std::string& a_name, const Predictions& a, const std::string& b_name,
                          const Predictions& b, int64_t images) {
  QAT_CHECK(images > 0);
  PairResult pair;
  pair.a = a_name;
  pair.b = b_name;
  CompareScores(a, b, images, pair);
  return pair;
}

void TellInUnits(std::span<const double> differences, size_t targets, std::span<const double> units,
                 PairResult& pair) {
  // Equal bytes stay equal, whatever is rounded away in them.
  if (!pair.max_abs_error || *pair.max_abs_error == 0) return;
  const auto in_deviations = [&](size_t i) {
    return differences[i] / (units.empty() ? 1 : units[i % targets % units.size()]);
  };
  size_t most = 0;
  for (size_t i = 1; i < differences.size(); ++i) {
    if (in_deviations(i) > in_deviations(most)) most = i;
  }
  if (differences[most] > 0) pair.max_abs_error = differences[most];
  if (units.size() == targets && targets > 1)
    pair.max_abs_error_number = static_cast<int64_t>(most % targets);
}

}  // namespace qat
