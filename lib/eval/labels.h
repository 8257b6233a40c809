// labels.h: answers to yes or no, of one label or of several at once, and errors as scores of anomalies.
#ifndef QAT_EVAL_LABELS_H_
#define QAT_EVAL_LABELS_H_

#include <cstdint>
#include <optional>
#include <span>

#include "predict/predictor.h"
#include "report/report.h"

namespace qat {

/// Area under the ROC curve: the share of pairs (label 1, label 0) whose scores are in the right order, equal
/// ones half (Mann and Whitney). Absent where all labels are the same. Labels other than 0 and 1 do not
/// count.
std::optional<double> AucOf(std::span<const double> scores, std::span<const int32_t> labels);

/// sum over the different scores, from the largest, of (recall - recall before) * precision, as
/// scikit-learn's average_precision_score. Absent without a label 1.
std::optional<double> AveragePrecisionOf(std::span<const double> scores, std::span<const int32_t> labels);

/// Makes the scores of a task of yes or no answers of their own: labels 0 or 1 [N, K], one score each.
/// Requires scores.
void AnswerYesNo(Predictions& predictions);

/// Shapes  answers as AnswerYesNo leaves them, labels [N, width]. Requires an example.
LabelsResult JudgeLabels(const Predictions& predictions, std::span<const int32_t> labels, int64_t width);

/// Images of which more labels are wrong in b, and in a, than in the other: p of McNemar's test on them
/// (statistics.h).
double LabelsDifferP(const Predictions& a, const Predictions& b, std::span<const int32_t> labels,
                     int64_t width);

/// The error of an example is the mean of ((answer - number) / std)^2, std of the targets, may be empty: 1.
/// `anomalies`: 0 or 1 per example; nothing unless there are both.
std::optional<AnomalyResult> JudgeAnomalies(std::span<const float> answers, std::span<const float> numbers,
                                            std::span<const float> std, std::span<const int32_t> anomalies);

}  // namespace qat

#endif  // QAT_EVAL_LABELS_H_
