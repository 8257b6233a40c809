// Times of models on the page: bars, tables, operators.
#include <algorithm>

#include "base/strings.h"
#include "report/bench_rows.h"
#include "report/html_parts.h"
#include "report/svg_chart.h"
#include "report/text_format.h"

namespace qat {
namespace {

// The heads are ours; everything else comes from outside. `names`: so many columns of text; the others are
// numbers.
std::string TableOf(const std::vector<TableRow>& rows, size_t names) {
  std::vector<Column> columns;
  for (size_t i = 0; i < rows.front().size(); ++i)
    columns.push_back({rows.front()[i], i == 0 ? "name" : i < names ? "" : "number"});
  std::vector<Cells> cells;
  for (auto row = rows.begin() + 1; row != rows.end(); ++row) {
    cells.emplace_back();
    for (const std::string& text : *row) cells.back().push_back(EscapeHtml(text));
  }
  return Table(columns, cells);
}

// Shares as bars, beside the numbers.
std::string Operators(const BenchmarkResult& result) {
  if (result.operators.empty()) return "";
  double most = 0;
  for (const OperatorTime& op : result.operators) most = std::max(most, op.share);
  std::vector<TableRow> rows = OperatorRows(result);
  std::vector<Column> columns = {{"operator", "name"}, {"time", "bars"}};
  for (size_t i = 1; i < rows.front().size(); ++i)
    columns.push_back({rows.front()[i], i < 3 ? "" : "number"});
  std::vector<Cells> cells;
  for (size_t i = 0; i < result.operators.size(); ++i) {
    Cells row = {EscapeHtml(rows[i + 1][0]),
                 most > 0 ? RangeBar(0, result.operators[i].share, 0, most) : "–"};
    for (size_t column = 1; column < rows[i + 1].size(); ++column)
      row.push_back(EscapeHtml(rows[i + 1][column]));
    cells.push_back(std::move(row));
  }
  std::string reasons;
  for (const TableRow& row : KernelRows(result))
    reasons += StrCat(reasons.empty() ? "" : "; ", row[0], ": ", row[1]);
  return StrCat("<h3>Operators of ", EscapeHtml(BenchmarkName(result)), "</h3>\n", Table(columns, cells),
                Quiet(EscapeHtml(reasons)));
}

}  // namespace

std::string BenchmarksSection(const Report& report) {
  if (report.benchmarks.empty()) return "";
  std::string html = StrCat(
      TableOf(TimeRows(report), 1),
      Quiet(StrCat(
          "Times are for one run of the network alone, on random inputs that are already in their tensors; "
          "the models take "
          "turns. A time is that of the whole batch; “cold” is with nothing of the model left in the caches.",
          report.timing ? StrCat(" Measured: ", EscapeHtml(TimingText(*report.timing)), ".") : "")),
      "<h3>Start and memory</h3>\n", TableOf(StartRows(report), 1));
  for (const BenchmarkResult& result : report.benchmarks) html += Operators(result);
  return html;
}

}  // namespace qat
