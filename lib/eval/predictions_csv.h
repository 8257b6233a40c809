// predictions_csv.h: the answer of every row for every image, for a spreadsheet.
#ifndef QAT_EVAL_PREDICTIONS_CSV_H_
#define QAT_EVAL_PREDICTIONS_CSV_H_

#include <string>

#include "data/dataset.h"
#include "eval/rows.h"

namespace qat {

/// One line per image: its index, its label, then the answer of each listed row, under its name. Where each
/// pixel has a label, a line per pixel, with row and column after the index. Real numbers: the label and each
/// answer have as many columns as an image has numbers, "label[0]" and so on where there are several.
/// Requires  predictions of every row.
std::string PredictionsCsv(const Rows& rows, const Dataset& dataset);

}  // namespace qat

#endif  // QAT_EVAL_PREDICTIONS_CSV_H_
