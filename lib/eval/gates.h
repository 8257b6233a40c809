// gates.h: limits that a build must keep: accuracy, drop, flips, size, speed; what qat-eval's exit code 1 stands for.
#ifndef QAT_EVAL_GATES_H_
#define QAT_EVAL_GATES_H_

#include <cstdint>
#include <optional>
#include <string>

#include "base/expected.h"
#include "report/report.h"

namespace qat {

struct GateLimits {
  std::optional<double> min_accuracy;            ///< percentage
  std::optional<double> max_drop;                ///< points under the reference
  std::optional<int64_t> max_flips;              ///< labels that differ from the reference's
  std::optional<int64_t> max_size;               ///< bytes of the file
  std::optional<double> min_speedup;             ///< time of the reference / time: time_gates.h
  std::optional<double> max_latency = {};        ///< p50 in microseconds
  std::optional<double> max_latency_ratio = {};  ///< time / time of the reference
  std::optional<int64_t> max_steps = {};         ///< of outputs and their witnesses': JudgeProof (proof.h)
  std::optional<int64_t> max_changed_ranges = {};  ///< scales that are not training's: JudgeRanges (proof.h)
  std::optional<double> max_layer_loss = {};       ///< decibels under the baseline: JudgeLayers (proof.h)
  std::optional<double> max_rmse = {};             ///< of real numbers, in their unit
  std::optional<double> max_error_rise = {};       ///< of the RMSE over the reference's, percent
  std::string flips_against = {};  ///< the row that max_flips counts against; empty: the reference
  /// A drop beyond its limit passes, with a warning, where McNemar's p is larger than this; 0: never.
  double significance = 0;

  bool Any() const {
    return min_accuracy || max_size || max_latency || max_rmse || NeedsReference();
  }
  bool NeedsTimes() const { return min_speedup || max_latency || max_latency_ratio; }
  /// What a baseline can stand in for.
  bool NeedsBaseline() const { return max_drop || min_speedup || max_latency_ratio || max_error_rise; }
  bool NeedsReference() const { return NeedsBaseline() || max_flips; }
};

/// The row that models are held against: "float", else "checkpoint", else the first .tflite model where there are several,
/// else "graph"; null: none.
const ModelResult* ReferenceRow(const Report& report);

/// The rows that gates judge: all .tflite models, else "graph", else "simulated".
std::vector<const ModelResult*> JudgedRows(const Report& report);

/// "5" or "simulated=5": the limit and the row it counts against. Errors: kInvalidArgument.
Status ParseMaxFlips(const std::string& text, GateLimits& limits);

/// What to say where a limit needs a reference and there is none.
Error NoReference();

/// Appends a GateResult for each limit and judged row. `baseline` (may be null): an earlier report, whose row of the same
/// name is then the reference for accuracy and latency; or its only .tflite row, where this report has one, too.
/// Flips are counted by the pair (reference, row) of `report`.
/// A drop that `significance` lets pass adds a warning; the p value is known only for pairs of the same run.
/// Errors: kInvalidArgument, where a limit needs a reference, a latency or a row of the baseline that is not there.
Status JudgeGates(const GateLimits& limits, const Report* baseline, Report& report);

}  // namespace qat

#endif  // QAT_EVAL_GATES_H_
