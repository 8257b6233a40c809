// proof.h: integer rows that must be equal to the last step: the gates that qat-eval judges unasked.
#ifndef QAT_EVAL_PROOF_H_
#define QAT_EVAL_PROOF_H_

#include "eval/gates.h"
#include "report/report.h"
#include "runtime/interpreter.h"

namespace qat {

/// Appends a gate for every pair of a quantized model and a witness of it, the row "simulated" or TFLite: "max-steps" where
/// their outputs have the same step, else "max-flips" where neither has scores. Limit: max_steps of `limits`; unset: 0
/// under the default profile, nothing under another one, which is asked for because it differs; -1: nothing.
void JudgeProof(const GateLimits& limits, ArithmeticProfile profile, Report& report);

}  // namespace qat

#endif  // QAT_EVAL_PROOF_H_
