// csv_table.h: a text table with a header, as spreadsheets and pandas write it.
#ifndef QAT_DATA_CSV_TABLE_H_
#define QAT_DATA_CSV_TABLE_H_

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "data/npy.h"

namespace qat {

/// What a table is read for.
struct CsvRequest {
  /// The column of answers, or several with commas between them; empty: the only one with a usual name
  /// (label, class, target, y).
  std::string label;
  bool unlabelled = false;  ///< it need not have one
  /// columns that are neither answers nor features: answers of other outputs, and what shall be left out
  std::set<std::string> left_out = {};
  /// The columns that are the features, in the order that they are wanted in, and whose they are ("the
  /// network takes", "train.csv has"); empty: all that hold no answers, in the order of the file.
  std::vector<std::string> features = {};
  std::string wanted_by = "the network takes";
  bool without_answers = false;  ///< a column of them is not read and may be empty
};

struct CsvTable {
  /// names of the columns of `x`: as requested, or in the order of the file
  std::vector<std::string> features;
  /// name of the column of answers, of several with commas; empty: there is none
  std::string label;
  std::vector<std::string> labels;  ///< their names, in the order asked for
  NpyArray x;                       ///< float32 [rows, features]
  /// [rows], of several columns [rows, columns]: int64, float64, or of one column text where a cell is no
  /// number
  NpyArray y;
  std::vector<std::string> notes;  ///< what was left out
};

/// Cells are separated by commas, semicolons or tabs, whichever splits the header into most columns, or as a
/// first line "sep=;" says.
/// Decimals have a point; between semicolons all of them may have a comma instead. Quoted cells ("a, b", with
/// "" for a quote) may hold separators and line breaks. Empty lines are skipped; a byte order mark is, too. A
/// first column without a name, which numbers the rows, is left out. A line break in a name counts as a
/// space. Signs for thousands are refused where a column shows them: "2.932" beside "950".
/// Errors: kCorrupt "SOURCE: line 7, column 'mass': …" (no header, a row with another number of cells, a cell
/// that is text or missing, or a column is missing), kInvalidArgument (which column holds the answers is not
/// known; a column to be left out is none, or holds them).
Expected<CsvTable> ParseCsv(std::string_view text, const std::string& source, const CsvRequest& request);
Expected<CsvTable> ReadCsv(const std::string& path, const CsvRequest& request);

/// All rows, without answers: these features, else all columns but one that is called as answers usually are.
Expected<CsvTable> ReadRows(const std::string& path, const std::vector<std::string>& features);

/// The first line of a table that holds anything, without a name that is empty. Errors: those of ReadCsv.
Expected<std::vector<std::string>> ReadCsvHeader(const std::string& path);

/// Columns that a list names, by commas. A name may have commas itself: pieces that make the name of a column
/// together, with or without spaces between them, are one. Pieces that name none stay as they are.
std::vector<std::string> SplitColumns(const std::string& list, const std::vector<std::string>& columns);

}  // namespace qat

#endif  // QAT_DATA_CSV_TABLE_H_
