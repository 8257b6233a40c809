#include "report/class_figures.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "base/strings.h"
#include "report/text_format.h"

namespace qat {
namespace {

constexpr double kZ = 1.959963984540054;  // 97.5 % quantile of the normal distribution
// Images. With two of each of ten classes, a model that is right in 28 % of them has at most 2 right in one
// set of 19.
constexpr int64_t kFewestForChance = 20;
constexpr double kRounding = 1e-12;  // of a mean of quotients

double ClassesWithImages(const std::vector<ClassCount>& counts) {
  return static_cast<double>(
      std::count_if(counts.begin(), counts.end(), [](const auto& count) { return count.total > 0; }));
}

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

double AccuracyOf(const std::vector<ClassCount>& counts) {
  int64_t correct = 0, total = 0;
  for (const ClassCount& count : counts) correct += count.correct, total += count.total;
  QAT_CHECK(total > 0);
  return 100.0 * static_cast<double>(correct) / static_cast<double>(total);
}

bool IsAtChance(const std::vector<ClassCount>& counts, int64_t examples) {
  const double present = ClassesWithImages(counts);
  const bool known =
      std::all_of(counts.begin(), counts.end(), [](const auto& count) { return count.answers.has_value(); });
  if (present < 2 || examples < kFewestForChance || !known) return false;
  double total = 0, guessing = 0, certainty = 0;  // variances of the sum of recalls
  for (const ClassCount& count : counts) total += static_cast<double>(count.total);
  const double independent = static_cast<double>(examples) / total;
  for (const ClassCount& count : counts) {
    if (count.total == 0) continue;
    const double images = static_cast<double>(count.total) * independent;
    const double answered = static_cast<double>(*count.answers) / total;
    guessing += answered * (1 - answered) / images;
    const double recall =
        (static_cast<double>(count.correct) * independent + kZ * kZ / 2) / (images + kZ * kZ);
    certainty += recall * (1 - recall) / (images + kZ * kZ);
  }
  const double gain = *BalancedAccuracyOf(counts) / 100 - 1 / present;
  return gain <= kZ * std::sqrt(guessing) / present + kRounding &&
         std::max(gain, 0.0) + kZ * std::sqrt(certainty) / present < (1 - 1 / present) / 5;
}

std::vector<size_t> NeverAnswered(const std::vector<ClassCount>& counts) {
  const double present = ClassesWithImages(counts);
  std::vector<size_t> never;
  if (present < 2) return never;
  for (size_t label = 0; label < counts.size(); ++label) {
    const ClassCount& count = counts[label];
    if (count.answers == 0 && static_cast<double>(count.total) >= std::log2(20 * present))
      never.push_back(label);
  }
  return never;
}

std::string GuessingText(const std::vector<ClassCount>& counts) {
  return StrCat("no better than guessing, which has a balanced accuracy of ",
                Fixed(100 / ClassesWithImages(counts), 2), " %");
}

std::string AccuraciesText(const std::vector<ClassCount>& counts) {
  return StrCat("balanced accuracy ", Fixed(*BalancedAccuracyOf(counts), 2), " %, accuracy ",
                Fixed(AccuracyOf(counts), 2), " %");
}

}  // namespace qat
