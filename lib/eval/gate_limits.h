// gate_limits.h: limits that a build must keep: accuracy, drop, flips, size, speed.
#ifndef QAT_EVAL_GATE_LIMITS_H_
#define QAT_EVAL_GATE_LIMITS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"

namespace qat {

/// For one class, by its name or number; without a name for each of them.
struct ClassLimit {
  std::string name;
  double limit = 0;
};

/// For one of several real numbers, by its name or its index from 0.
struct TargetLimit {
  int32_t index = 0;
  double limit = 0;
  std::string name = {};  ///< as given; an index that is no name is in `index`
};

struct GateLimits;

/// A limit of answers for one of several outputs, by its name.
struct OutputLimit {
  std::string output;
  std::optional<double> GateLimits::*limit;
  double value = 0;
};

struct GateLimits {
  std::optional<double> min_accuracy;  ///< percentage
  std::optional<double> max_drop;      ///< points under the reference
  std::optional<int64_t> max_flips;    ///< labels that differ from the reference's
  std::optional<int64_t> max_size;     ///< bytes of the file
  /// Time of the float model of the same network (FloatModelFor, main_rows.h) / time: time_gates.h.
  std::optional<double> min_speedup;
  std::optional<double> max_latency = {};          ///< p50 in microseconds
  std::optional<double> max_latency_ratio = {};    ///< time / time of the float model, likewise
  std::optional<int64_t> max_steps = {};           ///< of outputs and their witnesses': JudgeProof (proof.h)
  std::optional<int64_t> max_changed_ranges = {};  ///< scales that are not training's: JudgeRanges (proof.h)
  std::optional<double> max_layer_loss = {};       ///< decibels under the baseline: JudgeLayers (proof.h)
  std::optional<double> max_rmse = {};             ///< of real numbers, in their unit
  std::optional<double> max_error_rise = {};       ///< of the RMSE over the reference's, percent
  std::optional<double> min_balanced_accuracy = {};  ///< percentage: the mean of the classes' recalls
  std::vector<ClassLimit> min_recall = {};           ///< percentages, of classes
  std::vector<TargetLimit> max_target_rmse = {};     ///< of one of several real numbers
  std::optional<double> min_auc = {};  ///< 0 to 1: of yes or no, the mean of several labels, of anomalies
  std::optional<double> min_f1 = {};   ///< percentage: of yes, the mean of several labels
  std::optional<double> min_iou = {};  ///< percentage: the mean over classes, of one label per pixel
  /// in the place of the limits above, for the output that each names
  std::vector<OutputLimit> of_outputs = {};
  std::string flips_against = {};    ///< the row that max_flips counts against; empty: the reference
  std::string speedup_against = {};  ///< the row that min_speedup compares with; empty: the float model
  std::string ratio_against = {};    ///< the same of max_latency_ratio
  /// A drop beyond its limit passes, with a warning, where McNemar's p is larger than this; 0: never.
  double significance = 0;

  /// For all outputs, or for one of them.
  bool Has(std::optional<double> GateLimits::*limit) const;
  bool OfClasses() const {
    return Has(&GateLimits::min_accuracy) || Has(&GateLimits::min_balanced_accuracy) || !min_recall.empty();
  }
  bool OfNumbers() const { return max_rmse || !max_target_rmse.empty(); }
  bool OfScores() const {
    return Has(&GateLimits::min_auc) || Has(&GateLimits::min_f1) || Has(&GateLimits::min_iou);
  }
  bool Any() const {
    return OfClasses() || OfNumbers() || OfScores() || max_size || max_latency || NeedsReference();
  }
  bool OfSpeed() const { return min_speedup || max_latency_ratio; }
  bool NeedsFloatModel() const {
    return (min_speedup && speedup_against.empty()) || (max_latency_ratio && ratio_against.empty());
  }
  bool NeedsTimes() const { return OfSpeed() || max_latency; }
  /// What a baseline can stand in for.
  bool NeedsBaseline() const {
    return Has(&GateLimits::max_drop) || OfSpeed() || Has(&GateLimits::max_error_rise);
  }
  bool NeedsReference() const { return NeedsBaseline() || max_flips; }
};

/// "5" or "simulated=5": the limit and the row it compares with. Errors: kInvalidArgument.
Status ParseMaxFlips(const std::string& text, GateLimits& limits);
Status ParseMinSpeedup(const std::string& text, GateLimits& limits);
Status ParseMaxLatencyRatio(const std::string& text, GateLimits& limits);

/// "90" or, of a model with several outputs, "kind=90": a limit of answers by its field, as "min_accuracy".
/// Requires a field of a number that judges answers. Errors: kInvalidArgument.
Status ParseAnswerLimit(std::string_view field, const std::string& text, GateLimits& limits);

/// "90" (each class), "cat=90" or "3=90", of an output "kind=90" or "kind/cat=90", a percentage; "0.5" (all
/// numbers), "mass=0.5" or "1=0.5". Errors: kInvalidArgument.
Status ParseMinRecall(const std::string& text, GateLimits& limits);
Status ParseMaxRmse(const std::string& text, GateLimits& limits);

}  // namespace qat

#endif  // QAT_EVAL_GATE_LIMITS_H_
