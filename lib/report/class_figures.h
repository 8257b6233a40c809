// class_figures.h: what one percentage hides: how well each class is recognized, their mean, and whether
// answers are better than guessing. Training and evaluation judge by the same functions.
#ifndef QAT_REPORT_CLASS_FIGURES_H_
#define QAT_REPORT_CLASS_FIGURES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/report.h"

namespace qat {

/// By label; from the confusion matrix where the result holds no counts (reports of earlier versions). Empty:
/// not known.
std::vector<ClassCount> ClassCountsOf(const ClassificationResult& result);

/// Percentage of the class's images that are answered rightly; absent where it has none.
std::optional<double> RecallOf(const ClassCount& count);

/// Balanced accuracy: the mean of the recalls over the classes that have images, as a percentage. Absent
/// without any.
std::optional<double> BalancedAccuracyOf(const std::vector<ClassCount>& counts);

/// The label with the smallest recall, the first of equals. Absent where no class has images.
std::optional<size_t> WorstClassOf(const std::vector<ClassCount>& counts);

/// Accuracy over all classes, as a percentage. Requires an image.
double AccuracyOf(const std::vector<ClassCount>& counts);

/// Whether the answers are no better than guessing. Answers that do not depend on the image have a balanced
/// accuracy of 1 / k, k classes with images, however frequent each class is. With `gain` = balanced accuracy
/// - 1 / k, chance is where
///   gain <= z s0                           nothing shows that the answers depend on the image, and
///   max(gain, 0) + z s1 < (1 - 1/k) / 5    a model that is a fifth of the way to perfect would have shown
///                                          it.
/// s0^2 = sum_i q_i (1 - q_i) / n_i / k^2, q_i the share of answers that are class i, n_i its images: the
/// variance of guesses.
/// s1^2 = sum_i r_i (1 - r_i) / (n_i + z^2) / k^2, r_i = (correct_i + z^2/2) / (n_i + z^2) (Agresti and Coull
/// 1998), which is not 0 for a recall of 0 or 1. z = 1.96 (95 %). A few images prove nothing: one answer for
/// two classes needs 15 images of each.
/// `examples`: images; where labels are pixels, those of one image are no independent draws, and n_i is
/// scaled down by it.
/// False with fewer than two classes or 20 images, and where answers are not known (reports of earlier
/// versions).
bool IsAtChance(const std::vector<ClassCount>& counts, int64_t examples);

/// Labels of classes that must have been answered if the model found half of their images, and were not: each
/// has
///   images >= log2(20 k),
/// so that a model with a recall of one half leaves any class unanswered in less than one of 20 sets.
std::vector<size_t> NeverAnswered(const std::vector<ClassCount>& counts);

/// "no better than guessing, which has a balanced accuracy of 50.00 %".
std::string GuessingText(const std::vector<ClassCount>& counts);

/// "balanced accuracy 50.00 %, accuracy 96.00 %". Requires an image.
std::string AccuraciesText(const std::vector<ClassCount>& counts);

/// The fewest examples that an R² below 0 is told on: with fewer, the variance itself is too uncertain.
inline constexpr int64_t kLeastForR2 = 10;

}  // namespace qat

#endif  // QAT_REPORT_CLASS_FIGURES_H_
