#include "report/class_figures.h"

#include <cmath>
#include <numeric>

namespace qat {
namespace {

constexpr double kZ = 1.959963984540054;  // 97.5 % quantile of the normal distribution
constexpr double kRounding = 1e-9;        // of a mean of quotients, relative to percentages

}  // namespace

std::vector<ClassCount> ClassCountsOf(const ClassificationResult& result) {
  if (!result.classes.empty()) return result.classes;
  std::vector<ClassCount> counts(result.confusion.size());
  for (size_t label = 0; label < counts.size(); ++label) {
    const std::vector<int64_t>& row = result.confusion[label];
    counts[label].correct = row[label];
    counts[label].total = std::accumulate(row.begin(), row.end(), int64_t{0});
    counts[label].answers = 0;
    for (const auto& other : result.confusion) *counts[label].answers += other[label];
  }
  return counts;
}

std::optional<double> RecallOf(const ClassCount& count) {
  if (count.total == 0) return std::nullopt;
  return 100.0 * static_cast<double>(count.correct) / static_cast<double>(count.total);
}

std::optional<double> BalancedAccuracyOf(const std::vector<ClassCount>& counts) {
  double sum = 0, present = 0;
  for (const ClassCount& count : counts) {
    if (count.total == 0) continue;
    sum += *RecallOf(count);
    ++present;
  }
  return present > 0 ? std::optional(sum / present) : std::nullopt;
}

std::optional<size_t> WorstClassOf(const std::vector<ClassCount>& counts) {
  std::optional<size_t> worst;
  for (size_t label = 0; label < counts.size(); ++label) {
    if (counts[label].total == 0) continue;
    if (!worst || *RecallOf(counts[label]) < *RecallOf(counts[*worst])) worst = label;
  }
  return worst;
}

bool IsAtChance(const std::vector<ClassCount>& counts) {
  double present = 0, variance = 0;
  for (const ClassCount& count : counts) {
    if (count.total == 0) continue;
    const double recall = *RecallOf(count);
    variance += recall * (100 - recall) / static_cast<double>(count.total);
    ++present;
  }
  if (present < 2) return false;
  const double half = kZ * std::sqrt(variance) / present;
  return *BalancedAccuracyOf(counts) - half <= 100 / present + kRounding;
}

}  // namespace qat
