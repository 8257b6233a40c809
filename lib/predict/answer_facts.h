// answer_facts.h: what the answers of a model on labelled examples say beyond one figure: which classes are found and which
// never answered, whether answers are better than chance. Filled batch by batch, so that training can use it too.
#ifndef QAT_PREDICT_ANSWER_FACTS_H_
#define QAT_PREDICT_ANSWER_FACTS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace qat {

/// Answers of a classifier: one class per label, an image or a pixel.
class ClassFacts {
 public:
  /// Requires as many answers as labels, none negative.
  void Add(std::span<const int32_t> labels, std::span<const int32_t> answers);

  struct Class {
    int64_t labels = 0;    ///< examples of this class
    int64_t answers = 0;   ///< examples taken for this class
    int64_t correct = 0;   ///< both
    double Recall() const;  ///< correct / labels; NaN without labels
  };
  const std::vector<Class>& classes() const { return classes_; }  ///< by index, up to the largest seen
  int64_t total() const { return total_; }
  int64_t correct() const;
  /// The class with the most labels, the first of equals. Requires a label.
  int32_t Majority() const;
  /// Mean recall of the classes that have labels. Requires a label.
  double BalancedAccuracy() const;

  /// Classes that must have been answered if the model found half of their examples, and were not: each has
  ///   labels >= log2(20 * classes),
  /// so that a model with a recall of one half leaves any class unanswered in less than one set of 20.
  std::vector<int32_t> NeverAnswered() const;

  /// Whether the answers are no better than always answering the majority class, told with statistics. Of the m examples of
  /// other classes `gained` are answered right; `lost` ones of the majority are answered wrong. Chance is where
  ///   gained - lost <= z sqrt(gained + lost)                  nothing shows that the model is better, and
  ///   gained - lost + z sqrt(gained + lost + 4) < m / 5       a model that is better by a fifth of m would have shown it,
  /// z = 1.96 (95 %, as in McNemar's test). Few examples are never called chance: m is over 19 then.
  /// `independent`: examples whose answers do not depend on one another, images where labels are pixels.
  bool AtChance(int64_t independent) const;

 private:
  std::vector<Class> classes_;
  int64_t total_ = 0;
};

/// Answers that are real numbers, one or several per example, each judged by itself.
class NumberFacts {
 public:
  explicit NumberFacts(int64_t targets);
  /// Shapes  outputs, wanted [examples, targets].
  void Add(std::span<const float> outputs, std::span<const float> wanted);

  struct Target {
    int64_t count = 0;
    double min = 0, max = 0;  ///< of the numbers wanted
    double mean = 0;
    double variance = 0;       ///< of the numbers wanted, around their mean
    double squared_error = 0;  ///< mean
    /// 1 - squared_error / variance: 1 is perfect, 0 as good as always answering the mean; NaN where all numbers are equal.
    double R2() const;
  };
  /// One per target. Requires an example.
  std::vector<Target> targets() const;

 private:
  struct Sums {
    int64_t count = 0;
    double min = 0, max = 0, first = 0, sum = 0, squares = 0, squared_error = 0;  // sums of what lies above `first`
  };
  std::vector<Sums> sums_;
};

/// The least examples that an R2 is judged on: with fewer, the variance itself is too uncertain.
inline constexpr int64_t kLeastForR2 = 10;

/// Steps of the output that a target's range must span: with fewer, rounding to the next step alone is off by up to 1 % of
/// that range (half a step of 50).
inline constexpr double kLeastOutputSteps = 50;

/// Plain sentences on answers that are worth nothing, as warnings: accuracy at chance, classes never answered. `names` in
/// label order, may be short; `where` as "the holdout".
std::vector<std::string> Warnings(const ClassFacts& facts, std::span<const std::string> names, int64_t independent,
                                  const std::string& where);

/// The same of real numbers: R2 below 0, a range that spans fewer than kLeastOutputSteps steps of `output_step` (the scale of
/// the quantized output; 0: float). All equal targets are told by the caller, who sees them before training.
std::vector<std::string> Warnings(const NumberFacts& facts, double output_step, const std::string& where);

}  // namespace qat

#endif  // QAT_PREDICT_ANSWER_FACTS_H_
