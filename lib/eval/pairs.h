// pairs.h: two models on the same images: which labels differ, and how far apart their outputs are.
#ifndef QAT_EVAL_PAIRS_H_
#define QAT_EVAL_PAIRS_H_

#include <cstdint>
#include <span>
#include <string>

#include "predict/predictor.h"
#include "report/report.h"

namespace qat {

/// Compares `b` with `a`.
///   drop_pt = 100 * (correct(a) - correct(b)) / N
///   max_abs_error = max |score_a - score_b|, over all images and classes, where both have scores of as many
///   classes
///   equal_outputs: of `images`, those whose scores are equal to the bit, likewise; each has as many scores
///   max_abs_lsb = max |round(score_a / step) - round(score_b / step)|, where both have the same step > 0
/// In addition, the interval of the drop and the p value of McNemar's test (statistics.h).
/// Requires  as many predictions as labels, at least one.
PairResult ComparePair(const std::string& a_name, const Predictions& a, const std::string& b_name,
                       const Predictions& b, std::span<const int32_t> labels, int64_t images);

/// The same of two models that answer with real numbers: nothing of labels, the differences of outputs only.
PairResult CompareOutputs(const std::string& a_name, const Predictions& a, const std::string& b_name,
                          const Predictions& b, int64_t images);

/// Of normalized numbers: max_abs_error becomes that of the target that differs most, in its own unit.
/// `differences` is by how much two answers differ, [count, targets]; `units` as UnitsOf (regression.h) has
/// them: of as many as targets, the pair says which it is.
void TellInUnits(std::span<const double> differences, size_t targets, std::span<const double> units,
                 PairResult& pair);

}  // namespace qat

#endif  // QAT_EVAL_PAIRS_H_
