// label_figures.h: figures of answers to yes or no, derived from counts: F1, and means over several labels.
#ifndef QAT_REPORT_LABEL_FIGURES_H_
#define QAT_REPORT_LABEL_FIGURES_H_

#include <optional>

#include "report/report.h"

namespace qat {

/// Percentages. Precision: of those said to have the label, how many do; recall: of those that have it, how
/// many are found; F1, their harmonic mean. Absent where nothing is said to have it, where nothing has it,
/// where neither.
std::optional<double> PrecisionOf(const LabelCount& count);
std::optional<double> RecallOf(const LabelCount& count);
std::optional<double> F1Of(const LabelCount& count);

/// Percentage of right answers. Requires an example.
double AccuracyOf(const LabelCount& count);

/// Means over the labels that have the figure: macro F1 as a percentage, AUC and average precision (mAP) from
/// 0 to 1.
std::optional<double> MeanF1(const LabelsResult& result);
std::optional<double> MeanAuc(const LabelsResult& result);
std::optional<double> MeanAveragePrecision(const LabelsResult& result);

/// F1 of all labels pooled, as a percentage.
std::optional<double> PooledF1(const LabelsResult& result);

/// Percentage of examples of which every label is right.
double ExactMatch(const LabelsResult& result);

}  // namespace qat

#endif  // QAT_REPORT_LABEL_FIGURES_H_
