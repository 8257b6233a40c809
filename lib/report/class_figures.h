// class_figures.h: what one percentage hides: how well each class is recognized, and their mean.
#ifndef QAT_REPORT_CLASS_FIGURES_H_
#define QAT_REPORT_CLASS_FIGURES_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "report/report.h"

namespace qat {

/// By label; from the confusion matrix where the result holds no counts (reports of earlier versions). Empty: not known.
std::vector<ClassCount> ClassCountsOf(const ClassificationResult& result);

/// Percentage of the class's images that are answered rightly; absent where it has none.
std::optional<double> RecallOf(const ClassCount& count);

/// Balanced accuracy: the mean of the recalls over the classes that have images, as a percentage. Absent without any.
std::optional<double> BalancedAccuracyOf(const std::vector<ClassCount>& counts);

/// The label with the smallest recall, the first of equals. Absent where no class has images.
std::optional<size_t> WorstClassOf(const std::vector<ClassCount>& counts);

/// The balanced accuracy is not told apart from that of guessing, 100 / (classes with images): its 95 % interval, from the
/// binomial variance of each recall, holds it. False with fewer than two classes.
bool IsAtChance(const std::vector<ClassCount>& counts);

}  // namespace qat

#endif  // QAT_REPORT_CLASS_FIGURES_H_
