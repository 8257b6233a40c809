// merit.h: how good a checkpoint is on examples that it was not trained on, how sure that is, and which of
// two is better.
#ifndef QAT_CHECKPOINT_MERIT_H_
#define QAT_CHECKPOINT_MERIT_H_

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace qat {

/// What one output of several is worth.
struct OutputEvaluation {
  std::string name;
  double accuracy = 0;  ///< as of Evaluation
  double loss = 0;
  std::vector<double> target_rmse = {};  ///< as of Evaluation
};

/// What a network was measured to be worth on labelled examples.
struct Evaluation {
  double accuracy = 0;  ///< percentage; NaN where labels are real numbers, and of several outputs together
  /// Mean cross entropy, without smoothing; mean squared error of real numbers, of several normalized ones in
  /// deviations of each; of several outputs the weighted sum.
  double loss = 0;
  /// Of the accuracy, in points, or of the mean squared error: the spread over examples divided by the root
  /// of their number.
  /// An accuracy is taken as if two more examples had been seen, one right and one wrong (as Agresti and
  /// Coull 1998 do with four): five right answers of five do not make a network that never fails. 0: not
  /// known.
  double standard_error = 0;
  std::vector<OutputEvaluation> outputs = {};  ///< of several outputs each
  /// Of each of several real numbers, in its own unit; empty where there is one, or where they are the places
  /// of a map.
  std::vector<double> target_rmse = {};
};

/// As it stands in Checkpoint::metrics: "holdout_accuracy" (none of real numbers), "holdout_loss",
/// "holdout_standard_error", and of several outputs "holdout_loss/class" and so on,
/// where `split` is "holdout"; "fake_quantize": 1 if it was on, else 0.
std::map<std::string, double> MetricsOf(const Evaluation& evaluation, bool quantized, std::string_view split);

struct Merit {
  bool quantized =
      false;  ///< one from before the delay was judged without fake quantization: never before others
  double value = -std::numeric_limits<
      double>::infinity();  ///< accuracy; of real numbers, the loss with its sign changed
  double loss = std::numeric_limits<double>::infinity();
  double standard_error = 0;  ///< of `value`; 0: not known, as in files from before it was recorded
  int64_t step = 0;

  bool measured() const { return value != Merit().value; }
};

/// Of the metrics of one checkpoint, measured on `split`; not measured() where they do not have it.
Merit MeritOf(const std::map<std::string, double>& metrics, std::string_view split, int64_t step);

/// The order of checkpoints, chance aside: measured at all, with fake quantization, then the larger value,
/// then the smaller loss.
bool RanksBefore(const Merit& a, const Merit& b);

/// Whether `a` ranks before `b`, and its value is larger by more than kChanceErrors standard errors of their
/// difference. That error is computed as if each had been measured on examples of its own. Checkpoints of one
/// run are measured on the same examples and mostly fail on the same ones, so that a difference is surer than
/// it says; but the best is the best of many. With 1.5, of twenty equally good checkpoints, which toss a coin
/// for one example in ten, the last is taken in 96 to 99 % of runs (with 1, in 73 to 92 %), and one that
/// fails on a tenth of all examples is left in 61 % of runs on 40 examples, and always on 400
/// (merit_test.cc).
inline constexpr double kChanceErrors = 1.5;
bool IsBetterBeyondChance(const Merit& a, const Merit& b);

/// The one that the programs take unless told otherwise: the last, unless the best is better beyond chance.
/// The highest of many accuracies on few examples is mostly the luckiest, and a schedule that ends at
/// learning rate 0 ends at its best.
/// Compare the one-standard-error rule of Breiman, Friedman, Olshen and Stone, Classification and Regression
/// Trees (1984), 3.4.3.
const Merit& TakenOf(const Merit& best, const Merit& last);

}  // namespace qat

#endif  // QAT_CHECKPOINT_MERIT_H_
