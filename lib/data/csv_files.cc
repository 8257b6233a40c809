#include <algorithm>
#include <map>
#include <set>

#include "base/ending.h"
#include "base/file.h"
#include "base/strings.h"
#include "data/array_dataset.h"
#include "data/array_images.h"
#include "data/array_names.h"
#include "data/csv_table.h"
#include "data/readers.h"
#include "data/test_split.h"

namespace qat {
namespace {

constexpr std::string_view kEnding = ".csv";

bool IsCsv(std::string_view name) { return HasEnding(name, kEnding) || HasEnding(name, ".tsv"); }

std::string_view Stem(std::string_view name) { return name.substr(0, name.rfind('.')); }

// The columns with the answers of an output: those named, else the one called as the output, or all that
// begin so ("box_x").
std::string ColumnsOf(const OutputRequest& output, const std::vector<std::string>& columns) {
  if (!output.columns.empty()) return output.columns;
  // What a model was trained on, in its order.
  const auto is_column = [&](const std::string& name) {
    return std::find(columns.begin(), columns.end(), name) != columns.end();
  };
  if (output.class_names.size() > 1 &&
      std::all_of(output.class_names.begin(), output.class_names.end(), is_column))
    return Join(output.class_names, ",");
  for (const std::string& name : {output.name, StrCat("y_", output.name)}) {
    if (std::find(columns.begin(), columns.end(), name) != columns.end()) return name;
  }
  std::vector<std::string> parts;
  std::copy_if(columns.begin(), columns.end(), std::back_inserter(parts), [&](const std::string& column) {
    return column.starts_with(output.name) &&
           std::string_view("_.-[ ").find(column[output.name.size()]) != std::string_view::npos;
  });
  return Join(parts, ",");
}

/// The tables of one data set, each read once for every output.
class Tables {
 public:
  Tables(std::string directory, const OpenOptions& options)
      : directory_(std::move(directory)),
        options_(options),
        outputs_(std::max<size_t>(options.outputs.size(), 1)) {}

  std::string PathOf(const std::string& name) const {
    return directory_.empty() ? name : JoinPath(directory_, name);
  }

  Status Add(const std::string& name) {
    QAT_ASSIGN_OR_RETURN(std::vector<CsvRequest> requests, Requests(PathOf(name)));
    for (CsvRequest& request : requests) {
      request.features = options_.features;
      if (!request.features.empty() || tables_.empty()) continue;
      request.features = first().front().features;
      request.wanted_by = first_ + " has";
    }
    std::vector<CsvTable> read;
    for (const CsvRequest& request : requests) {
      QAT_ASSIGN_OR_RETURN(CsvTable table, ReadCsv(PathOf(name), request));
      read.push_back(std::move(table));
    }
    if (!tables_.empty()) {
      const auto same = [](const CsvTable& a, const CsvTable& b) { return a.label == b.label; };
      if (!std::equal(read.begin(), read.end(), first().begin(), same))
        return Corrupt(
            StrCat(PathOf(name), ": has other answers than ", PathOf(first_), ", expected the same columns"));
    }
    if (tables_.empty()) first_ = name;
    tables_.emplace(name, std::move(read));
    return {};
  }

  // "train.csv:x" are the features of a table, "train.csv:y" its answers, "train.csv:y1" those of the second
  // output.
  ArrayPair PairOf(const std::string& name) const {
    ArrayPair pair = {{name + ":x"}, name + ":y"};
    for (size_t i = 1; i < outputs_; ++i) pair.others.push_back(StrCat(name, ":y", i));
    return pair;
  }
  Expected<NpyArray> Read(const std::string& array) const {
    const std::vector<CsvTable>& tables = tables_.at(NameOf(array));
    return array.ends_with('x') ? tables.front().x : tables[OutputOf(array)].y;
  }
  /// Where an array is, for messages.
  std::string PlaceOf(const std::string& array) const {
    const std::string file = PathOf(NameOf(array));
    return array.ends_with('x')
               ? file
               : StrCat(file, ": column '", tables_.at(NameOf(array))[OutputOf(array)].label, "'");
  }
  static std::string NameOf(const std::string& array) { return array.substr(0, array.rfind(':')); }
  /// Of the table added first, one for each output.
  const std::vector<CsvTable>& first() const { return tables_.at(first_); }
  /// Of all tables; of several each with the name of its table.
  std::vector<std::string> Notes() const {
    std::vector<std::string> notes;
    for (const auto& [name, read] : tables_) {
      for (const std::string& note : read.front().notes)
        notes.push_back(tables_.size() == 1 ? note : StrCat(name, ": ", note));
    }
    return notes;
  }

 private:
  static size_t OutputOf(const std::string& array) {
    return ParseNumber<size_t>(array.substr(array.rfind(':') + 2)).value_or(0);
  }

  Expected<std::vector<CsvRequest>> Requests(const std::string& path) const {
    // A pipe gives its first line once.
    if (outputs_ == 1 && options_.leave_out.empty())
      return std::vector<CsvRequest>{{options_.label, options_.unlabelled}};
    QAT_ASSIGN_OR_RETURN(const std::vector<std::string> columns, ReadCsvHeader(path));
    std::set<std::string> left_out;
    if (!options_.leave_out.empty()) {
      const std::vector<std::string> named = SplitColumns(options_.leave_out, columns);
      left_out.insert(named.begin(), named.end());
    }
    if (outputs_ == 1) return std::vector<CsvRequest>{{options_.label, options_.unlabelled, left_out}};
    std::vector<CsvRequest> requests;
    for (const OutputRequest& output : options_.outputs) {
      requests.push_back({ColumnsOf(output, columns), options_.unlabelled, left_out});
      if (!requests.back().label.empty() || options_.unlabelled) continue;
      return NotFound(StrCat(path, ": has no column for output '", output.name,
                             "' of the network, expected '", output.name, "', or '", output.name,
                             "_…' for several numbers: `label` names others, as ", output.name,
                             "=COLUMN,…; there are ", SomeOf(columns)));
    }
    for (CsvRequest& request : requests) {
      for (const CsvRequest& other : requests) {
        if (&other == &request) continue;
        const std::vector<std::string> theirs = SplitColumns(other.label, columns);
        request.left_out.insert(theirs.begin(), theirs.end());
      }
    }
    return requests;
  }

  std::string directory_;
  const OpenOptions& options_;
  size_t outputs_;
  std::string first_;
  std::map<std::string, std::vector<CsvTable>> tables_;
};

// "column 'class' holds the answers", of several outputs whose.
std::string AnswersText(const CsvTable& table, const std::string& output) {
  return StrCat(table.labels.size() == 1 ? "column '" : "columns '", table.label,
                table.labels.size() == 1 ? "' holds" : "' hold",
                output.empty() ? " the answers" : StrCat(" the answers for '", output, "'"));
}

// What the values are, and what was understood about the columns of each table.
void AddColumns(const Tables& tables, const OpenOptions& options, Dataset& dataset) {
  dataset.input().features = tables.first().front().features;
  if (!options.leave_out.empty()) dataset.notes.push_back(StrCat("left out, as asked: ", options.leave_out));
  const std::vector<std::string> notes = tables.Notes();
  dataset.notes.insert(dataset.notes.end(), notes.begin(), notes.end());
}

Expected<Dataset> OpenTables(const std::string& path, const Tables& tables, const ArrayTable& table,
                             Split split, const OpenOptions& options) {
  const CsvTable& first = tables.first().front();
  if (first.label.empty()) {
    const bool learns = options.task == Task::kReconstruction, has_test = !table.test.inputs.empty();
    const std::string& name =
        learns && has_test && split == Split::kTest ? table.test.inputs[0] : table.train.inputs[0];
    QAT_ASSIGN_OR_RETURN(NpyArray array, tables.Read(name));
    QAT_ASSIGN_OR_RETURN(ArrayImages images,
                         ReadArrayImages(std::move(array), tables.PathOf(Tables::NameOf(name)), options));
    Dataset dataset =
        Unlabelled({std::move(images)}, options, path, "has no column of labels, which are not needed here");
    AddColumns(tables, options, dataset);
    if (learns && !has_test)
      KeepPart(split, options, "a folder with train.csv and test.csv makes another choice", dataset);
    return dataset;
  }
  ArraySource source;
  source.path = path;
  source.read = [&](const std::string& name) { return tables.Read(name); };
  source.path_of = [&](const std::string& name) { return tables.PlaceOf(name); };
  const bool one_output = tables.first().size() == 1;
  if (one_output && first.labels.size() > 1) source.class_names = first.labels;
  source.advice = "a folder with train.csv and test.csv makes another choice";
  QAT_ASSIGN_OR_RETURN(Dataset dataset, OpenArrayDataset(source, table, split, options));
  std::vector<std::string> answers;
  for (size_t i = 0; i < tables.first().size(); ++i) {
    const CsvTable& read = tables.first()[i];
    OutputLabels& own = i == 0 ? dataset : dataset.others[i - 1];
    own.label_column = read.label;
    if (!one_output && own.class_names.empty() && read.labels.size() > 1) own.class_names = read.labels;
    answers.push_back(AnswersText(read, own.output));
  }
  dataset.notes.insert(dataset.notes.begin(),
                       StrCat(Join(answers), ", the other ", first.features.size(), " are features"));
  AddColumns(tables, options, dataset);
  return dataset;
}

}  // namespace

bool IsCsvFile(const std::string& path) { return IsCsv(path); }

Expected<Dataset> OpenCsv(const std::string& path, Split split, const OpenOptions& options) {
  Tables tables("", options);
  QAT_RETURN_IF_ERROR(tables.Add(path));
  ArrayTable table;
  table.train = tables.PairOf(path);
  return OpenTables(path, tables, table, split, options);
}

Expected<Dataset> OpenRows(const std::string& path, const OpenOptions& options) {
  QAT_ASSIGN_OR_RETURN(CsvTable table, ReadRows(path, options.features));
  QAT_ASSIGN_OR_RETURN(ArrayImages images, ReadArrayImages(std::move(table.x), path, options));
  Dataset dataset = Unlabelled({std::move(images)}, options, path, "is read without answers");
  dataset.input().features = std::move(table.features);
  dataset.notes.insert(dataset.notes.end(), table.notes.begin(), table.notes.end());
  return dataset;
}

bool HoldsCsv(const std::vector<std::string>& files) {
  return std::any_of(files.begin(), files.end(), [](const std::string& name) {
    return IsCsv(name) && SplitNamed(Stem(name)).has_value();
  });
}

Expected<Dataset> OpenCsvDirectory(const std::string& directory, const std::vector<std::string>& files,
                                   Split split, const OpenOptions& options) {
  Tables tables(directory, options);
  ArrayTable table;
  std::vector<std::pair<ArraySplit, std::string>> roles;
  for (const std::string& name : files) {
    if (!IsCsv(name)) continue;
    if (const auto role = SplitNamed(Stem(name))) {
      roles.push_back({*role, name});
    } else {
      table.unused.push_back(name);
    }
  }
  // The columns of the others go by those of training.
  std::stable_partition(roles.begin(), roles.end(),
                        [](const auto& each) { return each.first == ArraySplit::kTrain; });
  for (const auto& [role, name] : roles) {
    ArrayPair& pair = role == ArraySplit::kTest         ? table.test
                      : role == ArraySplit::kValidation ? table.holdout
                                                        : table.train;
    if (pair.has_inputs())
      return Corrupt(StrCat(directory, ": ", Tables::NameOf(pair.inputs[0]), " and ", name,
                            " are for one split, expected one file"));
    QAT_RETURN_IF_ERROR(tables.Add(name));
    pair = tables.PairOf(name);
  }
  if (!table.train.complete()) {
    return NotFound(
        StrCat(directory, ": holds no table for training, expected train.csv; found ", SomeOf(files)));
  }
  // Without a table for testing, that for validation is it.
  if (!table.test.complete()) std::swap(table.test, table.holdout);
  return OpenTables(directory, tables, table, split, options);
}

}  // namespace qat
