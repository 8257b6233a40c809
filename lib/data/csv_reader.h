// csv_reader.h: the cells of a text table, whatever they mean. For .cc files of lib/data only.
#ifndef QAT_DATA_CSV_READER_H_
#define QAT_DATA_CSV_READER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"

namespace qat {

/// Without blanks, tabs and carriage returns at both ends.
std::string_view TrimmedCell(std::string_view text);

/// Rows of cells, one after the other. Separators and quotes as ParseCsv (csv_table.h) has them. Lines end
/// with a line feed; in a text without any, as old spreadsheets wrote it, with a carriage return.
class CsvReader {
 public:
  /// Requires  a text and a source that outlive this.
  CsvReader(std::string_view text, const std::string& source);

  /// False at the end. `line` is the one that the row begins in. Errors: kCorrupt, "SOURCE: line 7: …"
  /// (quotes that do not end, or end before the cell does).
  Expected<bool> Next(std::vector<std::string>& cells, int64_t& line);
  char separator() const { return separator_; }

 private:
  bool TakeSeparator();
  char Separator() const;
  bool SkipEmptyLine();
  Expected<bool> NextCell(std::string& cell);
  size_t EndOfCell() const;
  Status TakeQuoted(std::string& cell);

  std::string_view rest_;
  const std::string& source_;
  char line_end_ = '\n';
  char separator_ = ',';
  int64_t line_ = 1;
};

}  // namespace qat

#endif  // QAT_DATA_CSV_READER_H_
