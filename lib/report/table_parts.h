// table_parts.h: what the table is made of. For .cc files of this layer.
#ifndef QAT_REPORT_TABLE_PARTS_H_
#define QAT_REPORT_TABLE_PARTS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "report/report.h"

namespace qat {

using TableRow = std::vector<std::string>;

/// Pads every column to its widest cell; the first `left_columns` to the left, the others to the right.
std::string Aligned(const std::vector<TableRow>& rows, size_t left_columns);

/// Every row with all its columns; pairs, images that flipped, classes and layers. Each empty where there is
/// nothing.
std::string ModelDetails(const Report& report);
std::string PairDetails(const Report& report);
std::string ClassDetails(const Report& report);
std::string LayerDetails(const Report& report);

/// One sentence per model of which --rounding was asked.
std::string RoundingText(const Report& report);

}  // namespace qat

#endif  // QAT_REPORT_TABLE_PARTS_H_
