// columns.h: rows of cells as lines of text.
#ifndef QAT_BASE_COLUMNS_H_
#define QAT_BASE_COLUMNS_H_

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qat {

/// Columns as wide as their widest cell, two spaces between them, `indent` in front of each line; those of
/// `right` end flush. Rows may have different lengths. No spaces at the ends of lines.
std::string AlignColumns(std::span<const std::vector<std::string>> rows,
                         std::initializer_list<size_t> right = {}, std::string_view indent = "");

}  // namespace qat

#endif  // QAT_BASE_COLUMNS_H_
