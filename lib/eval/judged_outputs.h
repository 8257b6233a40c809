// judged_outputs.h: of a model that gives several outputs and does not say what they mean, those that the
// data have labels for.
#ifndef QAT_EVAL_JUDGED_OUTPUTS_H_
#define QAT_EVAL_JUDGED_OUTPUTS_H_

#include <string>

#include "base/expected.h"
#include "data/dataset.h"
#include "eval/rows.h"

namespace qat {

/// Errors: kInvalidArgument for a name that no output has, and of models with one output or that say what
/// theirs mean.
Status CheckJudge(const std::string& judge, const Rows& rows);

/// Opens the data and has the rows read what they are held against. Models with one output, and those that
/// say what theirs mean: `options` as they are. Of others those outputs whose names labels in the data have,
/// as y_NAME; without any such labels the first one. `judge`: the output of that name alone, whatever its
/// labels are called; empty: none is named. What was chosen unasked is a note of the data.
/// Errors: those of OpenDataset and Predictor::ReadOutputs. Requires CheckJudge.
Expected<Dataset> OpenJudged(const std::string& data, const OpenOptions& options, const std::string& judge,
                             Rows& rows);

}  // namespace qat

#endif  // QAT_EVAL_JUDGED_OUTPUTS_H_
