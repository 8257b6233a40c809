// answer_facts.h: what the answers of a model on labelled examples say beyond one figure: which classes are
// found and which never answered, whether answers are better than chance. Filled batch by batch, so that
// training can use it too.
#ifndef QAT_REPORT_ANSWER_FACTS_H_
#define QAT_REPORT_ANSWER_FACTS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "report/report.h"

namespace qat {

/// Answers of a classifier, counted: one class per label, an image or a pixel. What they are worth:
/// class_figures.h.
class ClassFacts {
 public:
  /// Requires as many answers as labels, none negative.
  void Add(std::span<const int32_t> labels, std::span<const int32_t> answers);

  const std::vector<ClassCount>& counts() const { return counts_; }  ///< by label, up to the largest seen
  int64_t total() const { return total_; }

 private:
  std::vector<ClassCount> counts_;
  int64_t total_ = 0;
};

/// Answers that are real numbers, one or several per example, each judged by itself.
class NumberFacts {
 public:
  explicit NumberFacts(int64_t targets);
  /// Shapes  outputs, wanted [examples, targets]. What is wanted and NaN is not known, and does not count.
  void Add(std::span<const float> outputs, std::span<const float> wanted);

  struct Target {
    int64_t count = 0;
    double min = 0, max = 0;  ///< of the numbers wanted
    double mean = 0;
    double variance = 0;       ///< of the numbers wanted, around their mean
    double squared_error = 0;  ///< mean
    /// 1 - squared_error / variance: 1 is perfect, 0 as good as always answering the mean; NaN where all
    /// numbers are equal.
    double R2() const;
  };
  /// One per target, with a count of 0 where nothing was known.
  std::vector<Target> targets() const;

 private:
  struct Sums {
    int64_t count = 0;
    // sums of what lies above `first`
    double min = 0, max = 0, first = 0, sum = 0, squares = 0, squared_error = 0;
  };
  std::vector<Sums> sums_;
};

/// Steps of the output that a target's range must span: with fewer, rounding to the next step alone is off by
/// up to 1 % of that range (half a step of 50).
inline constexpr double kLeastOutputSteps = 50;

/// Plain sentences on answers that are worth nothing, as warnings: no better than guessing, classes never
/// answered. `names` in label order, may be short; `examples`: images, also where labels are pixels; `where`
/// as "the holdout".
std::vector<std::string> Warnings(const ClassFacts& facts, std::span<const std::string> names,
                                  int64_t examples, const std::string& where);

/// How real numbers were learned, as far as judging them needs it.
struct NumbersLearned {
  /// The scale of the quantized output in units of each target, or one for all; 0: float.
  std::span<const double> steps;
  bool normalized = false;  ///< by the mean and std of each, and restored after the model
  std::span<const std::string> names = {};
  bool bounded =
      false;  ///< the network ends in what gives some numbers only: it cannot learn normalized ones
};

/// The same of real numbers: R2 below 0, a range that spans fewer than kLeastOutputSteps steps of the output.
/// All equal targets are told by the caller, who sees them before training.
std::vector<std::string> Warnings(const NumberFacts& facts, const NumbersLearned& learned,
                                  const std::string& where);

}  // namespace qat

#endif  // QAT_REPORT_ANSWER_FACTS_H_
