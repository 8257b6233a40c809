// outcome.h: what a finished run is worth, told in plain sentences where that is nothing.
#ifndef QAT_TRAIN_OUTCOME_H_
#define QAT_TRAIN_OUTCOME_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "data/dataset.h"

namespace qat {

/// Evaluates the checkpoint that the other tools take by default (ChooseCheckpoint) on `examples` of `data`,
/// called `where` in messages ("the holdout"), and gives the warnings of report/answer_facts.h. Of a run
/// whose best checkpoint is worth something and whose last is not, it says that. Errors: those of reading
/// checkpoints and data.
Expected<std::vector<std::string>> JudgeOutcome(const std::string& run, const Dataset& data,
                                                std::span<const int32_t> examples, const std::string& where);

}  // namespace qat

#endif  // QAT_TRAIN_OUTCOME_H_
