#include "predict/answer_facts.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "base/check.h"
#include "base/strings.h"

namespace qat {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kNormal95 = 1.959964;  // two-sided, of the normal distribution

std::string Quoted(std::span<const std::string> names, int32_t index) {
  const auto i = static_cast<size_t>(index);
  return i < names.size() ? StrCat("'", names[i], "'") : StrCat(index);
}

std::string Text(const char* format, double value) {
  char text[48];
  std::snprintf(text, sizeof(text), format, value);
  return text;
}

// "'a' (40 examples), 'b' (38)"; at most ten by name.
std::string ListOf(const ClassFacts& facts, const std::vector<int32_t>& indices,
                   std::span<const std::string> names) {
  constexpr size_t kShown = 10;
  std::vector<std::string> texts;
  for (size_t i = 0; i < std::min(indices.size(), kShown); ++i) {
    const int64_t labels = facts.classes()[static_cast<size_t>(indices[i])].labels;
    texts.push_back(StrCat(Quoted(names, indices[i]), " (", labels, i == 0 ? " examples)" : ")"));
  }
  const std::string more = indices.size() > kShown ? StrCat(" and ", indices.size() - kShown, " more") : "";
  return Join(texts) + more;
}

}  // namespace

void ClassFacts::Add(std::span<const int32_t> labels, std::span<const int32_t> answers) {
  QAT_CHECK(labels.size() == answers.size());
  const auto at = [&](int32_t index) -> Class& {
    const auto i = static_cast<size_t>(index);
    if (i >= classes_.size()) classes_.resize(i + 1);
    return classes_[i];
  };
  for (size_t i = 0; i < labels.size(); ++i) {
    ++at(labels[i]).labels;
    ++at(answers[i]).answers;
    if (labels[i] == answers[i]) ++at(labels[i]).correct;
  }
  total_ += std::ssize(labels);
}

double ClassFacts::Class::Recall() const {
  return labels == 0 ? kNaN : static_cast<double>(correct) / static_cast<double>(labels);
}

int64_t ClassFacts::correct() const {
  int64_t sum = 0;
  for (const Class& each : classes_) sum += each.correct;
  return sum;
}

int32_t ClassFacts::Majority() const {
  QAT_CHECK(total_ > 0);
  const auto more = [](const Class& a, const Class& b) { return a.labels < b.labels; };
  return static_cast<int32_t>(std::max_element(classes_.begin(), classes_.end(), more) - classes_.begin());
}

double ClassFacts::BalancedAccuracy() const {
  QAT_CHECK(total_ > 0);
  double sum = 0, present = 0;
  for (const Class& each : classes_) {
    if (each.labels == 0) continue;
    sum += each.Recall();
    ++present;
  }
  return sum / present;
}

std::vector<int32_t> ClassFacts::NeverAnswered() const {
  const auto present = static_cast<double>(
      std::count_if(classes_.begin(), classes_.end(), [](const Class& each) { return each.labels > 0; }));
  std::vector<int32_t> never;
  if (present < 2) return never;
  for (size_t i = 0; i < classes_.size(); ++i) {
    const Class& each = classes_[i];
    if (each.answers == 0 && static_cast<double>(each.labels) >= std::log2(20 * present)) {
      never.push_back(static_cast<int32_t>(i));
    }
  }
  return never;
}

bool ClassFacts::AtChance(int64_t independent) const {
  if (total_ == 0) return false;
  const Class& majority = classes_[static_cast<size_t>(Majority())];
  const double scale = static_cast<double>(independent) / static_cast<double>(total_);
  const double others = scale * static_cast<double>(total_ - majority.labels);
  const double gained = scale * static_cast<double>(correct() - majority.correct);
  const double lost = scale * static_cast<double>(majority.labels - majority.correct);
  return gained - lost <= kNormal95 * std::sqrt(gained + lost) &&
         gained - lost + kNormal95 * std::sqrt(gained + lost + 4) < others / 5;
}

NumberFacts::NumberFacts(int64_t targets) : sums_(static_cast<size_t>(targets)) {}

void NumberFacts::Add(std::span<const float> outputs, std::span<const float> wanted) {
  QAT_CHECK(outputs.size() == wanted.size() && !sums_.empty() && outputs.size() % sums_.size() == 0);
  for (size_t i = 0; i < wanted.size(); ++i) {
    Sums& sums = sums_[i % sums_.size()];
    const double value = wanted[i], error = double{outputs[i]} - value;
    if (sums.count == 0) sums.first = sums.min = sums.max = value;
    sums.min = std::min(sums.min, value);
    sums.max = std::max(sums.max, value);
    // Taken from the first value on, so that numbers far from 0 lose no digits.
    sums.sum += value - sums.first;
    sums.squares += (value - sums.first) * (value - sums.first);
    sums.squared_error += error * error;
    ++sums.count;
  }
}

double NumberFacts::Target::R2() const { return max > min ? 1 - squared_error / variance : kNaN; }

std::vector<NumberFacts::Target> NumberFacts::targets() const {
  std::vector<Target> all;
  for (const Sums& sums : sums_) {
    QAT_CHECK(sums.count > 0);
    const auto n = static_cast<double>(sums.count);
    const double above = sums.sum / n;
    all.push_back({sums.count, sums.min, sums.max, sums.first + above,
                   std::max(sums.squares / n - above * above, 0.0), sums.squared_error / n});
  }
  return all;
}

std::vector<std::string> Warnings(const ClassFacts& facts, std::span<const std::string> names, int64_t independent,
                                  const std::string& where) {
  std::vector<std::string> warnings;
  if (facts.total() == 0) return warnings;
  const auto total = static_cast<double>(facts.total());
  if (facts.AtChance(independent)) {
    const int32_t majority = facts.Majority();
    const auto most = static_cast<double>(facts.classes()[static_cast<size_t>(majority)].labels);
    warnings.push_back(StrCat(
        "accuracy on ", where, " is at chance: ", Text("%.2f", 100 * static_cast<double>(facts.correct()) / total),
        " %, where always answering ", Quoted(names, majority), " gives ", Text("%.2f", 100 * most / total),
        " %; check the labels, or try another learning rate or a longer run"));
  }
  const std::vector<int32_t> never = facts.NeverAnswered();
  if (!never.empty()) {
    warnings.push_back(StrCat("never answered on ", where, ": ", ListOf(facts, never, names),
                              "; train longer, or with as many examples of each class"));
  }
  return warnings;
}

std::vector<std::string> Warnings(const NumberFacts& facts, double output_step, const std::string& where) {
  std::vector<std::string> warnings;
  const std::vector<NumberFacts::Target> targets = facts.targets();
  for (size_t i = 0; i < targets.size(); ++i) {
    const NumberFacts::Target& target = targets[i];
    const std::string name = targets.size() == 1 ? std::string("the target") : StrCat("target ", i);
    if (target.count >= kLeastForR2 && target.R2() < 0) {
      warnings.push_back(StrCat("R2 of ", name, " on ", where, " is ", Text("%.3g", target.R2()),
                                ", worse than always answering its mean, ", Text("%.6g", target.mean),
                                "; train on targets of mean 0 and deviation 1: subtract ", Text("%.6g", target.mean),
                                ", divide by ", Text("%.3g", std::sqrt(target.variance))));
    }
    const double steps = output_step > 0 ? (target.max - target.min) / output_step : kLeastOutputSteps;
    if (target.max > target.min && steps < kLeastOutputSteps) {
      warnings.push_back(StrCat(name, " spans ", Text("%.3g", steps), " of the 255 steps of the quantized output (",
                                Text("%.6g", target.min), " to ", Text("%.6g", target.max), ", a step is ",
                                Text("%.3g", output_step), "), so answers are coarse; ",
                                targets.size() == 1 ? "subtract the mean of the targets before training"
                                                    : "bring all targets to mean 0 and like deviations before training"));
    }
  }
  return warnings;
}

}  // namespace qat
