// remarks.h: what accuracy and error hide: classes that are never answered, answers that are no better than guessing.
#ifndef QAT_EVAL_REMARKS_H_
#define QAT_EVAL_REMARKS_H_

#include "report/report.h"

namespace qat {

/// Points by which the balanced accuracy must lie below the accuracy to be told.
inline constexpr double kFarBelow = 10;
/// A class of which a sample holds fewer images is not judged: it may be there by chance.
inline constexpr int64_t kFewestOfAClass = 5;

/// Appends warnings on the rows that the table shows (MainRows): a class that is never answered, by its name; one answer for
/// everything; an accuracy at chance, or balanced far below; real numbers that are worse than their mean (R² below 0). Each
/// once, with the rows that it is true of.
void AddRemarks(Report& report);

}  // namespace qat

#endif  // QAT_EVAL_REMARKS_H_
