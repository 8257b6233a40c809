// proof.h: what must always hold between the rows of qat-eval: integer rows equal to the last step, and no
// layer worse than in the baseline.
#ifndef QAT_EVAL_PROOF_H_
#define QAT_EVAL_PROOF_H_

#include "eval/gates.h"
#include "report/report.h"
#include "runtime/interpreter.h"

namespace qat {

/// Decibels that a layer's own signal to noise may lose against the baseline: one bit of its eight.
inline constexpr double kMaxLayerLoss = 6;

/// Steps that a model with layers of real numbers among its integers may be off TFLite: the order of a sum
/// decides what one value in some thousands is rounded to.
inline constexpr int64_t kStepsBesideFloat = 1;

/// Appends a gate for every pair of a quantized model and a witness of it, the row "simulated" or TFLite:
/// "max-steps", of their outputs, or of the first layer that differs where outputs have no common step;
/// "max-flips" where nothing was found to compare but labels. Limit: max_steps of `limits`; unset: 0 under
/// the default profile (kStepsBesideFloat for a model with layers of real numbers), nothing under another
/// one, which is asked for because it differs; -1: nothing. A model with layers of another type than training
/// simulated, or with filters of other bits or scales, is another network than that: a warning instead of a
/// gate, unless the limit is set.
/// GateResult::asked says of this and the others whether the limit was set.
void JudgeProof(const GateLimits& limits, ArithmeticProfile profile, Report& report);

/// Appends "max-changed-ranges" for every model whose layers `report.ranges` knows: how many of them have
/// another scale than training chose, naming the first. Limit: that of `limits`; unset: 0; -1: nothing. More
/// than half of them: the model was quantized otherwise on purpose (calibrated, say), which is a warning and
/// no gate.
/// Requires  ranges of a graph or a checkpoint.
void JudgeRanges(const GateLimits& limits, Report& report);

/// Appends "max-layer-loss" for every model whose layers `baseline` knows by the same model name (or as the
/// only model): the largest fall of own_sqnr_db among layers whose scale has grown, naming the first one
/// beyond the limit. Limit: that of `limits`; unset: kMaxLayerLoss; -1: nothing.
void JudgeLayers(const GateLimits& limits, const Report& baseline, Report& report);

}  // namespace qat

#endif  // QAT_EVAL_PROOF_H_
