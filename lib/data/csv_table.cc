#include "data/csv_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/file.h"
#include "base/printable.h"
#include "base/strings.h"
#include "data/csv_reader.h"
#include "data/readers.h"
#include "data/thousands.h"

namespace qat {
namespace {

constexpr std::string_view kOneSign =
    "decimals have a comma elsewhere in the table, or a point, and may have only one of them";
constexpr std::string_view kUsualNames[] = {"label", "labels", "class", "target", "y", "category", "output"};

std::optional<double> NumberOf(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (text.empty() || stop != end) return std::nullopt;
  if (error == std::errc()) return number;
  // Nearer to 0 than any other double, "1e-400"; 1e400 is none.
  const size_t exponent = text.find_first_of("eE");
  return exponent != std::string_view::npos && text.substr(exponent + 1).starts_with('-') ? std::optional(0.0)
                                                                                          : std::nullopt;
}

bool IsMissing(const std::string& cell) {
  static const std::set<std::string> kMissing = {"", "na", "n/a", "nan", "null", "none", "?"};
  return kMissing.contains(LowerCase(cell));
}

/// One table in the making.
class TableBuilder {
 public:
  TableBuilder(const std::string& source, const CsvRequest& request) : source_(source), request_(request) {
    for (size_t i = 0; i < request.features.size(); ++i) wanted_.emplace(request.features[i], i);
  }

  /// `first`: the cells of the first row; empty: there is none.
  Status TakeHeader(const std::vector<std::string>& names, char separator,
                    const std::vector<std::string>& first) {
    names_ = names;
    for (std::string& name : names_) std::replace(name.begin(), name.end(), '\n', ' ');
    separator_ = separator;
    if (names.size() == 1 && names[0].find_first_of(" |:") != std::string::npos)
      return Corrupt(StrCat(source_, ": the first line is one column, '", Short(names[0]),
                            "', expected names of columns, separated by commas, semicolons or tabs"));
    const auto is_number = [](const std::string& name) { return NumberOf(name).has_value(); };
    if (std::all_of(names.begin(), names.end(), is_number))
      return Corrupt(
          StrCat(source_, ": the first line holds numbers only, expected the names of the columns"));
    std::set<std::string> seen;
    for (size_t i = 0; i < names_.size(); ++i) {
      if (names_[i].empty() && i == 0) continue;
      if (names_[i].empty())
        return Corrupt(StrCat(source_, ": column ", i + 1, " has no name, expected one"));
      if (!seen.insert(names_[i]).second)
        return Corrupt(
            StrCat(source_, ": two columns are called '", names_[i], "', expected different names"));
    }
    QAT_RETURN_IF_ERROR(CheckLeftOut());
    QAT_RETURN_IF_ERROR(FindLabel());
    place_.resize(names_.size());
    thousands_.resize(names_.size());
    if (!request_.features.empty()) return PlaceFeatures();
    for (size_t i = 0; i < names_.size(); ++i) {
      if (names_[i].empty()) {
        table_.notes.push_back("the first column has no name and is left out, as row numbers usually are");
      } else if (request_.unlabelled && table_.labels.empty() && HoldsText(first, i)) {
        table_.notes.push_back(
            StrCat("column '", names_[i],
                   "' holds text and is left out, as answers are, which are not needed here"));
      } else if (!IsLabel(i) && !request_.left_out.contains(names_[i])) {
        place_[i] = table_.features.size();
        table_.features.push_back(names_[i]);
      }
    }
    if (table_.features.empty())
      return Corrupt(
          StrCat(source_, ": has no column beside '", table_.label, "', expected at least one feature"));
    return {};
  }

  Status TakeRow(const std::vector<std::string>& cells, int64_t line) {
    if (cells.size() != names_.size()) {
      return Corrupt(StrCat(source_, ": line ", line, " has ", cells.size(),
                            cells.size() == 1 ? " cell" : " cells", ", expected ", names_.size(),
                            " as the header has"));
    }
    const size_t begin = values_.size();
    values_.resize(begin + table_.features.size() * sizeof(float));
    for (size_t i = 0; i < cells.size(); ++i) {
      if (!place_[i] && (request_.without_answers || !IsLabel(i))) continue;
      if (IsMissing(cells[i])) {
        return Corrupt(StrCat(Place(line, i), cells[i].empty() ? "is empty" : StrCat("is '", cells[i], "'"),
                              ", expected a value: fill the gap in or leave the row out"));
      }
      if (place_[i]) {
        QAT_ASSIGN_OR_RETURN(const float value, TakeNumber(cells[i], line, i));
        thousands_[i].Add(cells[i], value);
        std::memcpy(&values_[begin + *place_[i] * sizeof(value)], &value, sizeof(value));
      }
    }
    if (!request_.without_answers) {
      for (const size_t column : label_columns_) labels_.push_back(cells[column]);
    }
    ++rows_;
    return {};
  }

  Expected<CsvTable> Finish() {
    if (rows_ == 0)
      return Corrupt(StrCat(source_, ": holds a header and no row, expected one row per example"));
    if (rows_ > INT32_MAX)
      return Corrupt(StrCat(source_, ": holds ", rows_, " rows, expected fewer than 2^31"));
    for (size_t i = 0; i < names_.size(); ++i) QAT_RETURN_IF_ERROR(CheckThousands(names_[i], thousands_[i]));
    const auto rows = static_cast<int32_t>(rows_);
    table_.x = {DType::kFloat32, {rows, static_cast<int32_t>(table_.features.size())}, std::move(values_)};
    if (request_.without_answers) {
      table_.label.clear();
      table_.labels.clear();
    }
    if (table_.labels.size() > 1) QAT_RETURN_IF_ERROR(CheckAreNumbers());
    if (!table_.label.empty()) {
      QAT_ASSIGN_OR_RETURN(table_.y, LabelArray(rows));
    }
    if (commas_) table_.notes.push_back("decimals are written with a comma");
    return std::move(table_);
  }

 private:
  static std::string Short(const std::string& text) {
    constexpr size_t kMost = 40;
    return text.size() <= kMost ? text : text.substr(0, kMost) + "…";
  }
  static bool HoldsText(const std::vector<std::string>& row, size_t column) {
    return column < row.size() && !IsMissing(row[column]) && !NumberOf(WithPoint(row[column]));
  }
  std::string Place(int64_t line, size_t column) const {
    return StrCat(source_, ": line ", line, ", column '", names_[column], "' ");
  }

  /// Later tables may lack what that of training left out.
  Status CheckLeftOut() const {
    if (!request_.features.empty()) return {};
    for (const std::string& name : request_.left_out) {
      if (std::find(names_.begin(), names_.end(), name) != names_.end()) continue;
      const std::string nearest = Nearest(name, names_);
      return InvalidArgument(StrCat("`leave_out`: ", source_, " has no column '", name, "'",
                                    nearest.empty() ? StrCat(", expected one of ", SomeOf(names_))
                                                    : StrCat("; did you mean '", nearest, "'?")));
    }
    return {};
  }

  Status FindLabel() {
    std::vector<size_t> usual;
    std::vector<std::string> wanted;
    if (!request_.label.empty()) wanted = SplitColumns(request_.label, names_);
    for (size_t i = 0; i < names_.size(); ++i) {
      if (IsWanted(names_[i]) || request_.left_out.contains(names_[i])) continue;
      const std::string lower = LowerCase(names_[i]);
      if (std::find(std::begin(kUsualNames), std::end(kUsualNames), lower) != std::end(kUsualNames))
        usual.push_back(i);
    }
    if (request_.label.empty() && usual.size() == 1) wanted = {names_[usual[0]]};
    const std::string columns = SomeOf(names_);
    for (const std::string& name : wanted) {
      const auto found = std::find(names_.begin(), names_.end(), name);
      if (found != names_.end()) {
        const auto column = static_cast<size_t>(found - names_.begin());
        if (!IsLabel(column)) label_columns_.push_back(column);
        continue;
      }
      if (request_.unlabelled) return {};
      std::vector<std::string> others;
      std::copy_if(names_.begin(), names_.end(), std::back_inserter(others),
                   [&](const std::string& other) { return !IsWanted(other); });
      const std::string nearest = Nearest(name, others);
      if (!request_.features.empty() && nearest.empty()) {
        return InvalidArgument(StrCat("`label`: ", source_, " has no column '", name,
                                      "', which held the answers in training, expected one: rows without "
                                      "answers can be classified or run, but not judged"));
      }
      return InvalidArgument(StrCat("`label`: ", source_, " has no column '", name, "'",
                                    nearest.empty() ? StrCat(", expected one of ", columns)
                                                    : StrCat("; did you mean '", nearest, "'?")));
    }
    for (const size_t column : label_columns_) {
      table_.labels.push_back(names_[column]);
      if (request_.left_out.contains(names_[column]))
        return InvalidArgument(
            StrCat("`leave_out`: column '", names_[column], "' of ", source_, " holds the answers"));
    }
    table_.label = Join(table_.labels, ",");
    if (!table_.labels.empty() || request_.unlabelled) return {};
    return InvalidArgument(StrCat(
        source_,
        ": which column holds the answers? Name it by `label`, or call it label, class, target or y in the "
        "first line; there are ",
        columns));
  }

  // The columns asked for, wherever they stand.
  Status PlaceFeatures() {
    table_.features = request_.features;
    std::vector<std::string> unused;
    size_t found = 0;
    bool in_order = true;
    for (size_t i = 0; i < names_.size(); ++i) {
      const auto wanted = wanted_.find(names_[i]);
      if (wanted == wanted_.end()) {
        if (!IsLabel(i) && !names_[i].empty() && !request_.left_out.contains(names_[i]))
          unused.push_back(names_[i]);
        continue;
      }
      if (IsLabel(i)) {
        return InvalidArgument(StrCat("`label`: column '", names_[i], "' of ", source_,
                                      " is among the features that ", request_.wanted_by,
                                      ", expected another one for the answers"));
      }
      place_[i] = wanted->second;
      in_order &= wanted->second == found++;
    }
    if (found < request_.features.size()) return MissingFeature();
    if (!in_order) {
      table_.notes.push_back(StrCat("columns stand in another order than ", request_.wanted_by,
                                    "; they are read by their names"));
    }
    if (!unused.empty())
      table_.notes.push_back(
          StrCat("left out: ", SomeOf(unused), ", beside the columns that ", request_.wanted_by));
    return {};
  }

  bool IsWanted(const std::string& name) const { return wanted_.contains(name); }

  // The first of them.
  Status MissingFeature() const {
    const std::string& feature =
        *std::find_if(request_.features.begin(), request_.features.end(), [&](const std::string& name) {
          return std::find(names_.begin(), names_.end(), name) == names_.end();
        });
    std::vector<std::string> others;
    std::copy_if(names_.begin(), names_.end(), std::back_inserter(others),
                 [&](const std::string& name) { return !name.empty() && !IsWanted(name); });
    const std::string nearest = Nearest(feature, others);
    return Corrupt(StrCat(source_, ": has no column '", feature, "', which ", request_.wanted_by,
                          nearest.empty()
                              ? StrCat("; there are ", SomeOf(names_))
                              : StrCat(", but one called '", nearest, "': rename it if that is the one")));
  }

  // In a table of semicolons decimals may have a comma, as where spreadsheets write both; then all of them
  // must.
  std::optional<double> Number(const std::string& cell) {
    const bool comma = separator_ == ';' && std::count(cell.begin(), cell.end(), ',') == 1 &&
                       cell.find('.') == std::string::npos;
    const std::optional<double> number = NumberOf(comma ? WithPoint(cell) : cell);
    if (!number) return number;
    commas_ |= comma;
    points_ |= cell.find('.') != std::string::npos;
    return commas_ && points_ ? std::nullopt : number;
  }

  Expected<float> TakeNumber(const std::string& cell, int64_t line, size_t column) {
    const std::optional<double> number = Number(cell);
    if (!number) {
      const bool both = commas_ && points_;
      std::string way_out(both ? kOneSign : "make numbers of it, or leave the column out");
      if (!both && separator_ != ',' && NumberOf(WithPoint(cell))) way_out = "write decimals with a point";
      return Corrupt(StrCat(Place(line, column), "is '", Short(cell), "', expected a number: ", way_out,
                            request_.features.empty() && !both
                                ? " (training: `leave_out`); answers are the column called label, class, "
                                  "target or y, or the one that `label` names"
                                : ""));
    }
    const auto value = static_cast<float>(*number);
    if (!std::isfinite(value))
      return Corrupt(
          StrCat(Place(line, column), "is ", Short(cell), ", expected a finite number that float32 holds"));
    return value;
  }
  static std::string WithPoint(std::string cell) {
    std::replace(cell.begin(), cell.end(), ',', '.');
    return cell;
  }

  template <class T>
  NpyArray ArrayOf(const std::vector<double>& numbers, DType type, int32_t rows) const {
    Shape shape = {rows};
    if (table_.labels.size() > 1) shape.push_back(static_cast<int32_t>(table_.labels.size()));
    NpyArray array{type, std::move(shape), Bytes(numbers.size() * sizeof(T))};
    for (size_t i = 0; i < numbers.size(); ++i) {
      const auto value = static_cast<T>(numbers[i]);
      std::memcpy(&array.values[i * sizeof(T)], &value, sizeof(T));
    }
    return array;
  }

  bool IsLabel(size_t column) const {
    return std::find(label_columns_.begin(), label_columns_.end(), column) != label_columns_.end();
  }

  // Of several columns each is a number; text would be a class each.
  Status CheckAreNumbers() {
    const size_t columns = table_.labels.size();
    for (size_t i = 0; i < labels_.size(); ++i) {
      if (Number(labels_[i])) continue;
      return Corrupt(StrCat(source_, ": row ", i / columns + 1, ", column '", table_.labels[i % columns],
                            "' is '", Short(labels_[i]),
                            "', expected a number where several columns are the answers"));
    }
    return {};
  }

  Status CheckThousands(const std::string& column, const ThousandsCheck& check) const {
    if (!check.found()) return {};
    const std::string& cell = check.first();
    return Corrupt(StrCat(source_, ": column '", column, "' holds '", cell,
                          "' beside whole numbers below 1000, which would be thousands, expected numbers "
                          "without a sign for them: write ",
                          WithoutThousands(cell), ", or all numbers of the column with decimals"));
  }

  // Texts that all would be numbers are no names of classes.
  Status CheckAreNames() const {
    const auto is_number = [](const std::string& label) { return IsInThousands(label) || NumberOf(label); };
    if (!std::all_of(labels_.begin(), labels_.end(), is_number)) return {};
    const std::string& cell = *std::find_if(labels_.begin(), labels_.end(), IsInThousands);
    return Corrupt(StrCat(source_, ": column '", table_.label, "' holds '", cell,
                          "', expected a number without a sign for thousands: write ",
                          WithoutThousands(cell)));
  }

  // Whole numbers, numbers, or text: by what all cells are.
  Expected<NpyArray> LabelArray(int32_t rows) {
    std::vector<double> numbers;
    std::map<double, std::string> spellings;
    bool whole = true;
    std::vector<ThousandsCheck> thousands(table_.labels.size());
    for (const std::string& label : labels_) {
      const std::optional<double> number = Number(label);
      if (!number && commas_ && points_ && NumberOf(WithPoint(label))) {
        return Corrupt(StrCat(source_, ": column '", table_.label, "' holds '", label, "', ", kOneSign));
      }
      if (!number) {
        QAT_RETURN_IF_ERROR(CheckAreNames());
        return NpyArray{DType::kString, {rows}, {}, labels_};
      }
      thousands[numbers.size() % thousands.size()].Add(label, *number);
      constexpr double kExact = 9e15;
      whole &= label.find_first_of(".,eE") == std::string::npos && std::abs(*number) < kExact;
      const bool named = whole && label.size() > 1 && label.starts_with('0');
      if (whole) {
        const auto [at, is_new] = spellings.emplace(*number, label);
        if (!is_new && at->second != label && (named || at->second.starts_with('0'))) {
          return Corrupt(StrCat(source_, ": column '", table_.label, "' holds '", at->second, "' and '",
                                label, "', which are one number, expected one spelling for each class"));
        }
      }
      numbers.push_back(*number);
    }
    for (size_t i = 0; i < thousands.size(); ++i)
      QAT_RETURN_IF_ERROR(CheckThousands(table_.labels[i], thousands[i]));
    return whole ? ArrayOf<int64_t>(numbers, DType::kInt64, rows)
                 : ArrayOf<double>(numbers, DType::kFloat64, rows);
  }

  const std::string& source_;
  const CsvRequest& request_;
  CsvTable table_;
  std::map<std::string_view, size_t> wanted_;  // features asked for, and their places
  std::vector<std::string> names_;
  std::vector<size_t> label_columns_;         // in the order asked for
  std::vector<std::optional<size_t>> place_;  // of each column, among the features
  std::vector<ThousandsCheck> thousands_;     // of each column
  char separator_ = ',';
  bool commas_ = false, points_ = false;  // in decimals
  Bytes values_;
  std::vector<std::string> labels_;
  int64_t rows_ = 0;
};

Expected<std::string_view> TextOf(const Bytes& bytes, const std::string& path) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (const size_t at = FindInvalidUtf8(text); at != std::string_view::npos) {
    return Corrupt(StrCat(path, ": line ",
                          1 + std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(at), '\n'),
                          " holds the byte ", Printable(text.substr(at, 1)),
                          ", which is not UTF-8, expected a text file in UTF-8 (save it as \"CSV UTF-8\")"));
  }
  if (text.find('\0') == std::string_view::npos) return text;
  return Corrupt(
      StrCat(path, ": holds a zero byte, expected a text file in UTF-8 (saved as \"CSV UTF-8\"?)"));
}

}  // namespace

Expected<CsvTable> ParseCsv(std::string_view text, const std::string& source, const CsvRequest& request) {
  CsvReader reader(text, source);
  TableBuilder builder(source, request);
  std::vector<std::string> cells;
  int64_t line = 0;
  QAT_ASSIGN_OR_RETURN(const bool any, reader.Next(cells, line));
  if (!any) return Corrupt(StrCat(source, ": is empty, expected a line with the names of the columns"));
  const std::vector<std::string> header = std::exchange(cells, {});
  QAT_ASSIGN_OR_RETURN(bool more, reader.Next(cells, line));
  if (!more) cells.clear();
  QAT_RETURN_IF_ERROR(builder.TakeHeader(header, reader.separator(), cells));
  while (more) {
    QAT_RETURN_IF_ERROR(builder.TakeRow(cells, line));
    QAT_ASSIGN_OR_RETURN(more, reader.Next(cells, line));
  }
  return builder.Finish();
}

Expected<CsvTable> ReadCsv(const std::string& path, const CsvRequest& request) {
  QAT_ASSIGN_OR_RETURN(const Bytes bytes, ReadFile(path));
  QAT_ASSIGN_OR_RETURN(const std::string_view text, TextOf(bytes, path));
  return ParseCsv(text, path, request);
}

Expected<CsvTable> ReadRows(const std::string& path, const std::vector<std::string>& features) {
  CsvRequest request;
  request.unlabelled = request.without_answers = true;
  request.features = features;
  return ReadCsv(path, request);
}

Expected<std::vector<std::string>> ReadCsvHeader(const std::string& path) {
  QAT_ASSIGN_OR_RETURN(const Bytes bytes, ReadFile(path));
  QAT_ASSIGN_OR_RETURN(const std::string_view text, TextOf(bytes, path));
  std::vector<std::string> names;
  int64_t line = 0;
  QAT_ASSIGN_OR_RETURN(const bool has_header, CsvReader(text, path).Next(names, line));
  if (!has_header) return names;
  std::erase(names, "");
  return names;
}

std::vector<std::string> SplitColumns(const std::string& list, const std::vector<std::string>& columns) {
  const auto parts_of = [](const std::string& text) {
    std::vector<std::string> parts = SplitText(text, ',');
    for (std::string& part : parts) part = TrimmedCell(part);
    return parts;
  };
  const std::vector<std::string> pieces = parts_of(list);
  std::vector<std::string> names;
  for (size_t at = 0; at < pieces.size();) {
    std::string name = pieces[at];
    size_t taken = 1;
    for (const std::string& column : columns) {
      const std::vector<std::string> parts = parts_of(column);
      if (parts.size() <= taken || parts.size() > pieces.size() - at) continue;
      if (!std::equal(parts.begin(), parts.end(), pieces.begin() + static_cast<std::ptrdiff_t>(at))) continue;
      name = column;
      taken = parts.size();
    }
    names.push_back(name);
    at += taken;
  }
  return names;
}

}  // namespace qat
