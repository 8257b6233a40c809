// quality.h: how good a network's answers are, and how far from those of the network of real numbers.
#ifndef QAT_DEBUG_QUALITY_H_
#define QAT_DEBUG_QUALITY_H_

#include <optional>
#include <string>

#include "base/expected.h"
#include "base/work_hooks.h"
#include "data/dataset.h"
#include "predict/predictor.h"

namespace qat {

struct Quality {
  bool of_numbers = false;
  double value = 0;  ///< accuracy in percent, or the RMSE of numbers, of several in deviations of each
  /// Why the answers are worth nothing: "no better than guessing, …", "worse than always answering the mean
  /// …". Empty: they are not.
  std::string worthless = {};
  Predictions predictions;
};

/// Errors: those of PredictAll and of data that do not fit.
Expected<Quality> MeasureQuality(Predictor& predictor, const Dataset& dataset, const WorkHooks& hooks);

/// What `other` loses: percentage points of accuracy, or the rise of the RMSE in percent.
double LossOf(const Quality& reference, const Quality& other);

/// 10 log10(sum of r^2 / sum of (r - q)^2). Absent without a signal; without noise, and where there are no
/// scores.
std::optional<double> OutputSqnr(const Quality& reference, const Quality& other);

std::optional<double> DecibelsOf(double signal, double noise);

}  // namespace qat

#endif  // QAT_DEBUG_QUALITY_H_
