// remarks.h: what accuracy and error hide: classes that are never answered, answers that are no better than
// guessing.
#ifndef QAT_EVAL_REMARKS_H_
#define QAT_EVAL_REMARKS_H_

#include "report/report.h"

namespace qat {

/// Points by which the balanced accuracy must lie below the accuracy to be told.
inline constexpr double kFarBelow = 10;

/// Appends warnings on the rows that the table shows (MainRows), judged by report/class_figures.h: a class
/// that is never answered, by its name; one answer for everything; answers no better than guessing, or a
/// balanced accuracy far below the accuracy; real numbers that are worse than their mean (R² below 0). Each
/// once, with the rows that it is true of.
void AddRemarks(Report& report);

}  // namespace qat

#endif  // QAT_EVAL_REMARKS_H_
