// flipped.h: the images whose labels two rows give differently, as pictures for the report.
#ifndef QAT_EVAL_FLIPPED_H_
#define QAT_EVAL_FLIPPED_H_

#include "base/expected.h"
#include "data/dataset.h"
#include "eval/rows.h"
#include "report/report.h"

namespace qat {

inline constexpr size_t kMostFlippedOfAPair = 12;
inline constexpr int32_t kLargestPicture = 96;  ///< pixels of the longer side; larger ones are made smaller

/// Fills `report.flipped`: of every pair the first images whose labels differ, rows of features with their
/// values; nothing where every pixel has a label.
/// Requires  `report.pairs` of these rows, which have predicted. Errors: the dataset's.
Status AddFlipped(const Rows& rows, const Dataset& dataset, Report& report);

}  // namespace qat

#endif  // QAT_EVAL_FLIPPED_H_
