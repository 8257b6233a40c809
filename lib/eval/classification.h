// classification.h: more than one percentage about a classifier's answers: top-k, confusions between classes,
// and whether its confidence is justified.
#ifndef QAT_EVAL_CLASSIFICATION_H_
#define QAT_EVAL_CLASSIFICATION_H_

#include <cstdint>
#include <span>
#include <vector>

#include "predict/predictor.h"
#include "report/report.h"

namespace qat {

/// A label is among the k best where fewer than k classes have a larger score, or an equal one and a lower
/// index: for k = 1 that is ArgMaxOf. `ks` that are not under the number of classes are left out, and all
/// where there are no scores.
/// The confusion matrix has one row per true class and one column per answer; it is left out over 100
/// classes, of which the counts are kept all the same.
/// Requires  as many predictions as labels, at least one; labels under the number of classes; ks of at least
/// 1.
ClassificationResult Classify(const Predictions& predictions, std::span<const int32_t> labels,
                              std::span<const int32_t> ks);

/// How sure each answer is, 0 to 1: the largest softmax of the scores, or the largest score itself where each
/// image's scores are probabilities already (none negative, sum 1 within 0.02); of one score, yes or no, the
/// probability of the answer. Empty where there are no scores.
std::vector<double> Confidences(const Predictions& predictions);

/// Expected calibration error in points: the mean of |accuracy - confidence| over 15 bins of equal width,
/// weighted by what falls into them.
/// Requires  scores [labels.size(), classes].
/// Source    Guo et al. 2017, "On calibration of modern neural networks".
double CalibrationError(const Predictions& predictions, std::span<const int32_t> labels);

/// Percentage: the mean over classes of intersection / union of where the class is and where it is answered;
/// classes that are in neither do not count. labels as Predictions::labels. Requires labels.
double MeanIou(std::span<const int32_t> answers, std::span<const int32_t> labels);

}  // namespace qat

#endif  // QAT_EVAL_CLASSIFICATION_H_
