#include "report/answer_facts.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "base/check.h"
#include "base/join_some.h"
#include "base/strings.h"
#include "report/class_figures.h"

namespace qat {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
std::string ClassNamed(std::span<const std::string> names, size_t label) {
  return label < names.size() ? StrCat("class '", names[label], "'") : StrCat("class ", label);
}

std::string Text(const char* format, double value) {
  char text[48];
  std::snprintf(text, sizeof(text), format, value);
  return text;
}

// "class 'a' (40 examples), class 'b' (38)"; at most ten by name.
std::string ListOf(const std::vector<ClassCount>& counts, const std::vector<size_t>& labels,
                   std::span<const std::string> names) {
  constexpr size_t kShown = 10;
  std::vector<std::string> texts;
  for (size_t i = 0; i < labels.size(); ++i) {
    texts.push_back(
        StrCat(ClassNamed(names, labels[i]), " (", counts[labels[i]].total, i == 0 ? " examples)" : ")"));
  }
  return JoinSome(texts, kShown);
}

}  // namespace

void ClassFacts::Add(std::span<const int32_t> labels, std::span<const int32_t> answers) {
  QAT_CHECK(labels.size() == answers.size());
  const auto at = [&](int32_t index) -> ClassCount& {
    const auto i = static_cast<size_t>(index);
    if (i >= counts_.size()) counts_.resize(i + 1, {0, 0, 0});
    return counts_[i];
  };
  for (size_t i = 0; i < labels.size(); ++i) {
    ++at(labels[i]).total;
    ++*at(answers[i]).answers;
    if (labels[i] == answers[i]) ++at(labels[i]).correct;
  }
  total_ += std::ssize(labels);
}

NumberFacts::NumberFacts(int64_t targets) : sums_(static_cast<size_t>(targets)) {}

void NumberFacts::Add(std::span<const float> outputs, std::span<const float> wanted) {
  QAT_CHECK(outputs.size() == wanted.size() && !sums_.empty() && outputs.size() % sums_.size() == 0);
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (std::isnan(wanted[i])) continue;
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
    if (sums.count == 0) {
      all.push_back({});
      continue;
    }
    const auto n = static_cast<double>(sums.count);
    const double above = sums.sum / n;
    all.push_back({sums.count, sums.min, sums.max, sums.first + above,
                   std::max(sums.squares / n - above * above, 0.0), sums.squared_error / n});
  }
  return all;
}

std::vector<std::string> Warnings(const ClassFacts& facts, std::span<const std::string> names,
                                  int64_t examples, const std::string& where) {
  std::vector<std::string> warnings;
  const std::vector<ClassCount>& counts = facts.counts();
  if (IsAtChance(counts, examples)) {
    warnings.push_back(StrCat("answers on ", where, " are ", GuessingText(counts), " (",
                              AccuraciesText(counts),
                              "); check the labels, or try another learning rate or a longer run"));
  }
  if (const std::vector<size_t> never = NeverAnswered(counts); !never.empty()) {
    warnings.push_back(StrCat("never answered on ", where, ": ", ListOf(counts, never, names),
                              "; train longer, or with equally many examples of each class"));
  }
  return warnings;
}

namespace {

constexpr char kOfBounded[] =
    "; the network ends in an activation, whose numbers are learned as they are: take it away, or bring the "
    "targets "
    "to where it reaches";

// What to do about a number that is answered worse than by its mean.
std::string AdviceOnR2(const NumberFacts::Target& target, const NumbersLearned& learned) {
  if (learned.bounded) return kOfBounded;
  if (learned.normalized)
    return "; it was learned normalized, so check that inputs and labels belong together, or try another "
           "learning rate or a longer run";
  return StrCat("; learn it normalized (`scale_to_targets` true), or subtract ", Text("%.6g", target.mean),
                " and divide by ", Text("%.3g", std::sqrt(target.variance)), " before training");
}

std::string AdviceOnSteps(const NumbersLearned& learned, bool several) {
  if (learned.bounded) return kOfBounded;
  if (learned.normalized)
    return "; it was learned normalized, so a few answers far from all others take up the range: look for "
           "outliers in the labels";
  return several ? "; learn them normalized (`scale_to_targets` true), or bring all to mean 0 and similar "
                   "deviations before training"
                 : "; learn it normalized (`scale_to_targets` true), or subtract its mean before training";
}

}  // namespace

std::vector<std::string> Warnings(const NumberFacts& facts, const NumbersLearned& learned,
                                  const std::string& where) {
  std::vector<std::string> warnings;
  const std::vector<NumberFacts::Target> targets = facts.targets();
  const bool several = targets.size() > 1;
  for (size_t i = 0; i < targets.size(); ++i) {
    const NumberFacts::Target& target = targets[i];
    const std::string name = !several                   ? std::string("the target")
                             : i < learned.names.size() ? StrCat("target '", learned.names[i], "'")
                                                        : StrCat("target ", i);
    if (target.count >= kLeastForR2 && target.R2() < 0) {
      warnings.push_back(StrCat("R2 of ", name, " on ", where, " is ", Text("%.3g", target.R2()),
                                ", worse than always answering its mean, ", Text("%.6g", target.mean),
                                AdviceOnR2(target, learned)));
    }
    const double output_step = learned.steps[i % learned.steps.size()];
    const double steps = output_step > 0 ? (target.max - target.min) / output_step : kLeastOutputSteps;
    if (target.max > target.min && steps < kLeastOutputSteps) {
      warnings.push_back(StrCat(name, " spans ", Text("%.3g", steps),
                                " of the 255 steps of the quantized output (", Text("%.6g", target.min),
                                " to ", Text("%.6g", target.max), ", a step is ", Text("%.3g", output_step),
                                "), so answers are coarse", AdviceOnSteps(learned, several)));
    }
  }
  // Many targets, as the places of a map are, mostly have the same fault.
  constexpr size_t kMost = 6;
  if (warnings.size() > kMost) {
    const size_t more = warnings.size() - kMost;
    warnings.resize(kMost);
    warnings.back() += StrCat("; and ", more, " more of this kind");
  }
  return warnings;
}

}  // namespace qat
