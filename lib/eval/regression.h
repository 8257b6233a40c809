// regression.h: errors of a model that predicts real numbers.
#ifndef QAT_EVAL_REGRESSION_H_
#define QAT_EVAL_REGRESSION_H_

#include <cstdint>
#include <span>
#include <string>

#include "base/expected.h"
#include "data/dataset.h"
#include "predict/predictor.h"
#include "report/report.h"

namespace qat {

/// Errors: kCorrupt, where a model answers another number of real numbers than the data have, or with the index of a class.
Status CheckNumbers(const std::string& name, const Predictions& predictions, const Dataset& dataset);

///   rmse = sqrt(mean of e^2), mae = mean of |e|, r2 = 1 - sum of e^2 / sum of (y - mean of y)^2, each target's mean its own.
/// The interval of the RMSE is that of the mean of the squared errors of an image, normal approximation, under the root.
/// Shapes    answers and numbers [count, targets]. Requires  count > 0.
RegressionResult MeasureErrors(std::span<const float> answers, std::span<const float> numbers,
                               int32_t targets);

/// b against a. The error of an image is the mean of its squared errors. The sign test asks whether significantly more images have
/// a larger error in one of the two; the interval of the rise is the percentile bootstrap over images, the same ones of
/// both, 1000 times by `seed`.
ErrorComparison CompareErrors(std::span<const float> a, std::span<const float> b,
                              std::span<const float> numbers, int32_t targets, uint64_t seed);

}  // namespace qat

#endif  // QAT_EVAL_REGRESSION_H_
