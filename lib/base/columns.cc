#include "base/columns.h"

#include <algorithm>

namespace qat {

std::string AlignColumns(std::span<const std::vector<std::string>> rows, std::initializer_list<size_t> right,
                         std::string_view indent) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line(indent);
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string gap(widths[c] - row[c].size(), ' ');
      const bool flush = std::find(right.begin(), right.end(), c) != right.end();
      line += (flush ? gap + row[c] : row[c] + gap) + "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace qat
