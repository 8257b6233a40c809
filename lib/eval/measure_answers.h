// measure_answers.h: what the answers of rows are worth, by the task of an output.
#ifndef QAT_EVAL_MEASURE_ANSWERS_H_
#define QAT_EVAL_MEASURE_ANSWERS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/expected.h"
#include "contract/contract.h"
#include "data/dataset.h"
#include "eval/rows.h"

namespace qat {

/// Of `values`, [examples, targets] as `wanted` is, those of the examples whose numbers are all known.
std::vector<float> Known(std::span<const float> values, std::span<const float> wanted, int32_t targets);

/// What the model of a row says of its output `index`; nothing where it says nothing.
OutputContract OutputContractOf(const Row& row, size_t index);

/// Fills the results of the rows for output `index`, whose labels or numbers `dataset` holds, from their
/// predictions. `topk`: of classes.
/// Errors: kCorrupt, where no example has a label or all of its numbers; those of CheckNumbers.
Status MeasureAnswers(std::span<const int32_t> topk, const Dataset& dataset, size_t index, Rows& rows);

}  // namespace qat

#endif  // QAT_EVAL_MEASURE_ANSWERS_H_
