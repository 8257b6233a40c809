// statistics.h: the uncertainty of a number measured on N images: intervals of accuracies and of drops, and
// whether two models run on the same images differ significantly.
#ifndef QAT_EVAL_STATISTICS_H_
#define QAT_EVAL_STATISTICS_H_

#include <cstdint>

#include "report/report.h"

namespace qat {

/// Exact McNemar test, two-sided: how likely a split of the discordant images at least as uneven is between
/// two models that are equally good.  p = min(1, 2 * sum of C(n, i) / 2^n over i <= min(b, c)), n = b + c; 1
/// where n = 0.
/// Source    McNemar 1947; exact form: Edwards 1948.
double McNemarP(int64_t right_to_wrong, int64_t wrong_to_right);

/// 95 % score interval of correct / total, as fractions. Requires  0 <= correct <= total, total > 0.
/// Source    Wilson 1927.
Interval WilsonInterval(int64_t correct, int64_t total);

/// The same images under two models.
struct PairedCounts {
  int64_t both_right = 0, right_to_wrong = 0, wrong_to_right = 0, both_wrong = 0;
};

/// 95 % interval of accuracy(a) - accuracy(b) on the same images, as fractions. It keeps its coverage where
/// few or no labels differ, where the textbook's interval has no width. Requires  at least one image.
/// Source    Newcombe 1998, "Improved confidence intervals for the difference between binomial proportions
/// based on
///           paired data", method 10.
Interval PairedDifferenceInterval(const PairedCounts& counts);

}  // namespace qat

#endif  // QAT_EVAL_STATISTICS_H_
