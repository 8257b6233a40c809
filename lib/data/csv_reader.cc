#include "data/csv_reader.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace qat {
namespace {

constexpr std::string_view kMark = "\xef\xbb\xbf";

}  // namespace

std::string_view TrimmedCell(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

CsvReader::CsvReader(std::string_view text, const std::string& source) : rest_(text), source_(source) {
  if (rest_.starts_with(kMark)) rest_.remove_prefix(kMark.size());
  if (rest_.find('\n') == std::string_view::npos && rest_.find('\r') != std::string_view::npos)
    line_end_ = '\r';
  if (!TakeSeparator()) separator_ = Separator();
}

Expected<bool> CsvReader::Next(std::vector<std::string>& cells, int64_t& line) {
  while (SkipEmptyLine()) {
  }
  cells.clear();
  line = line_;
  if (rest_.empty()) return false;
  for (bool more = true; more;) {
    std::string cell;
    QAT_ASSIGN_OR_RETURN(more, NextCell(cell));
    cells.push_back(std::move(cell));
  }
  return true;
}

// A first line "sep=;", as spreadsheets write it.
bool CsvReader::TakeSeparator() {
  constexpr std::string_view kWord = "sep=";
  const std::string_view first = rest_.substr(0, rest_.find(line_end_));
  const std::string_view line = first.ends_with('\r') ? first.substr(0, first.size() - 1) : first;
  if (!line.starts_with(kWord) || line.size() != kWord.size() + 1) return false;
  separator_ = line.back();
  rest_.remove_prefix(std::min(first.size() + 1, rest_.size()));
  ++line_;
  return true;
}

// The one that the header has most of, outside of quotes.
char CsvReader::Separator() const {
  constexpr std::string_view kSeparators = ",;\t";
  int64_t counts[kSeparators.size()] = {};
  bool quoted = false;
  for (const char c : rest_) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == line_end_) break;
    const size_t which = kSeparators.find(c);
    if (which != std::string_view::npos) ++counts[which];
  }
  return kSeparators[static_cast<size_t>(std::max_element(std::begin(counts), std::end(counts)) -
                                         std::begin(counts))];
}

bool CsvReader::SkipEmptyLine() {
  const size_t end = rest_.find(line_end_);
  const std::string_view line = rest_.substr(0, end);
  // Separators alone, a tab among them, are cells.
  if (line.find_first_not_of(" \r") != std::string_view::npos || rest_.empty()) return false;
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  ++line_;
  return true;
}

size_t CsvReader::EndOfCell() const {
  const char stops[] = {separator_, line_end_};
  return std::min(rest_.find_first_of(std::string_view(stops, 2)), rest_.size());
}

// Whether another cell follows in the row.
Expected<bool> CsvReader::NextCell(std::string& cell) {
  const size_t first = rest_.find_first_not_of(' ');
  if (first != std::string_view::npos && rest_[first] == '"') {
    rest_.remove_prefix(first + 1);
    QAT_RETURN_IF_ERROR(TakeQuoted(cell));
  } else {
    const size_t end = EndOfCell();
    cell = TrimmedCell(rest_.substr(0, end));
    rest_.remove_prefix(end);
  }
  if (rest_.empty()) return false;
  const char stop = rest_.front();
  rest_.remove_prefix(1);
  line_ += stop == line_end_;
  return stop == separator_;
}

Status CsvReader::TakeQuoted(std::string& cell) {
  const int64_t begin = line_;
  for (;;) {
    const size_t quote = rest_.find('"');
    if (quote == std::string_view::npos)
      return Corrupt(StrCat(source_, ": line ", begin, ": a quoted cell does not end, expected another \""));
    cell += rest_.substr(0, quote);
    line_ += std::count(rest_.begin(), rest_.begin() + static_cast<ptrdiff_t>(quote), line_end_);
    rest_.remove_prefix(quote + 1);
    if (!rest_.starts_with('"')) break;
    cell += '"';
    rest_.remove_prefix(1);
  }
  const size_t end = EndOfCell();
  if (!TrimmedCell(rest_.substr(0, end)).empty())
    return Corrupt(StrCat(source_, ": line ", line_, ": '", TrimmedCell(rest_.substr(0, end)),
                          "' follows a quoted cell, expected '",
                          separator_ == '\t' ? "a tab" : std::string(1, separator_),
                          "' or the end of the line"));
  rest_.remove_prefix(end);
  return {};
}

}  // namespace qat
