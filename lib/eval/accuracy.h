// accuracy.h: a predictor's answers for a whole data set, compared with its contract and its labels.
#ifndef QAT_EVAL_ACCURACY_H_
#define QAT_EVAL_ACCURACY_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/expected.h"
#include "base/work_hooks.h"
#include "data/dataset.h"
#include "predict/predictor.h"
#include "report/report.h"

namespace qat {

/// The data's image sizes are those of the predictor's contract.
/// Errors: kCorrupt, "digits: images are 28x28x1, expected 32x32x3 (input contract of model.tflite)".
Status CheckContract(const Predictor& predictor, const Dataset& dataset);

/// Predicts every image, 250 at a time.
/// Errors: the predictor's; kCorrupt where a label of the data is none of the model's classes; kInterrupted.
Expected<Predictions> PredictAll(Predictor& predictor, const Dataset& dataset, const WorkHooks& hooks);

/// Answers and scores of the places whose label is not kIgnoredLabel, and their labels in `known`. Where
/// there is no such label, or no other, both are empty.
Predictions WithoutIgnored(const Predictions& predictions, std::span<const int32_t> labels,
                           std::vector<int32_t>& known);

/// Requires as many predictions as labels, at least one.
AccuracyResult AccuracyOf(const Predictions& predictions, std::span<const int32_t> labels);

}  // namespace qat

#endif  // QAT_EVAL_ACCURACY_H_
