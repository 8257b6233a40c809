// regression.h: errors of a model that predicts real numbers.
#ifndef QAT_EVAL_REGRESSION_H_
#define QAT_EVAL_REGRESSION_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "contract/contract.h"
#include "data/dataset.h"
#include "predict/predictor.h"
#include "report/report.h"

namespace qat {

/// Errors: kCorrupt, where a model answers another number of real numbers than the data have, or with the
/// index of a class.
Status CheckNumbers(const std::string& name, const Predictions& predictions, const Dataset& dataset);

/// What an error of each of several numbers is divided by where they are judged together: numbers of an
/// example may have units of their own, and the largest would else decide. Of numbers the deviation of each
/// over `numbers`, which are those that are known; of a reconstruction that of each channel, as the model's
/// contract says. Empty: all have one unit, as a single number, the places of a map or the values of one
/// channel.
std::vector<double> UnitsOf(const Dataset& dataset, std::span<const float> numbers,
                            const OutputContract& output);

///   rmse = sqrt(mean of e^2), mae = mean of |e|,
///   r2 = 1 - sum of e^2 / sum of (y - mean of y)^2, each target's mean its own;
///   of one unit per target: relative_rmse = sqrt(mean of (e / unit)^2), and r2 is the mean over the targets
///   that vary.
/// The interval of the RMSE is that of the mean of the squared errors of an image, normal approximation,
/// under the root.
/// Shapes    answers and numbers [count, targets]; units [n], of number i units[i % n]. Requires  count > 0.
RegressionResult MeasureErrors(std::span<const float> answers, std::span<const float> numbers,
                               int32_t targets, std::span<const double> units = {});

/// b against a. The error of an image is the mean of its squared errors, in `units`. The sign test asks
/// whether significantly more images have a larger error in one of the two; the interval of the rise is the
/// percentile bootstrap over images, the same ones of both, 1000 times by `seed`.
ErrorComparison CompareErrors(std::span<const float> a, std::span<const float> b,
                              std::span<const float> numbers, int32_t targets, uint64_t seed,
                              std::span<const double> units = {});

}  // namespace qat

#endif  // QAT_EVAL_REGRESSION_H_
