#include <algorithm>
#include <map>

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

bool IsCsv(std::string_view name) { return name.ends_with(kEnding) || name.ends_with(".tsv"); }

std::string_view Stem(std::string_view name) { return name.substr(0, name.rfind('.')); }

/// The tables of one data set, each read once.
class Tables {
 public:
  Tables(std::string directory, const OpenOptions& options)
      : directory_(std::move(directory)), request_{options.label, options.unlabelled} {}

  std::string PathOf(const std::string& name) const { return directory_.empty() ? name : JoinPath(directory_, name); }

  Status Add(const std::string& name) {
    QAT_ASSIGN_OR_RETURN(CsvTable table, ReadCsv(PathOf(name), request_));
    if (!tables_.empty()) {
      const auto& [other_name, other] = *tables_.begin();
      if (other.features != table.features || other.label != table.label)
        return Corrupt(StrCat(PathOf(name), ": has other columns than ", PathOf(other_name), ", expected the same"));
    }
    tables_.emplace(name, std::move(table));
    return {};
  }

  // "train.csv:x" are the features of a table, "train.csv:y" its answers.
  static ArrayPair PairOf(const std::string& name) { return {{name + ":x"}, name + ":y"}; }
  Expected<NpyArray> Read(const std::string& array) const {
    const CsvTable& table = tables_.at(NameOf(array));
    return array.ends_with('x') ? table.x : table.y;
  }
  static std::string NameOf(const std::string& array) { return array.substr(0, array.size() - 2); }
  const CsvTable& first() const { return tables_.begin()->second; }

 private:
  std::string directory_;
  CsvRequest request_;
  std::map<std::string, CsvTable> tables_;
};

Expected<Dataset> OpenTables(const std::string& path, const Tables& tables, const ArrayTable& table, Split split,
                             const OpenOptions& options) {
  const CsvTable& first = tables.first();
  if (first.label.empty()) {
    const bool learns = options.task == Task::kReconstruction, has_test = !table.test.inputs.empty();
    const std::string& name = learns && has_test && split == Split::kTest ? table.test.inputs[0] : table.train.inputs[0];
    QAT_ASSIGN_OR_RETURN(NpyArray array, tables.Read(name));
    QAT_ASSIGN_OR_RETURN(ArrayImages images,
                         ReadArrayImages(std::move(array), tables.PathOf(Tables::NameOf(name)), options));
    Dataset dataset = Unlabelled({std::move(images)}, options, path, "has no column of labels, which are not needed here");
    if (learns && !has_test) KeepPart(split, "a folder with train.csv and test.csv makes another choice", dataset);
    return dataset;
  }
  ArraySource source;
  source.path = path;
  source.read = [&](const std::string& name) { return tables.Read(name); };
  source.path_of = [&](const std::string& name) {
    const std::string file = tables.PathOf(Tables::NameOf(name));
    return name.ends_with('y') ? StrCat(file, ": column '", first.label, "'") : file;
  };
  if (first.labels.size() > 1) source.class_names = first.labels;
  source.advice = "a folder with train.csv and test.csv makes another choice";
  QAT_ASSIGN_OR_RETURN(Dataset dataset, OpenArrayDataset(source, table, split, options));
  dataset.label_column = first.label;
  dataset.notes.insert(dataset.notes.begin(), StrCat(first.labels.size() == 1 ? "column '" : "columns '", first.label,
                                                     first.labels.size() == 1 ? "' holds" : "' hold", " the answers, the other ",
                                                     first.features.size(), " are features"));
  dataset.notes.insert(dataset.notes.end(), first.notes.begin(), first.notes.end());
  return dataset;
}

}  // namespace

bool IsCsvFile(const std::string& path) { return IsCsv(path); }

Expected<Dataset> OpenCsv(const std::string& path, Split split, const OpenOptions& options) {
  Tables tables("", options);
  QAT_RETURN_IF_ERROR(tables.Add(path));
  ArrayTable table;
  table.train = Tables::PairOf(path);
  return OpenTables(path, tables, table, split, options);
}

bool HoldsCsv(const std::vector<std::string>& files) {
  return std::any_of(files.begin(), files.end(),
                     [](const std::string& name) { return IsCsv(name) && SplitNamed(Stem(name)).has_value(); });
}

Expected<Dataset> OpenCsvDirectory(const std::string& directory, const std::vector<std::string>& files, Split split,
                                   const OpenOptions& options) {
  Tables tables(directory, options);
  ArrayTable table;
  for (const std::string& name : files) {
    const auto role = IsCsv(name) ? SplitNamed(Stem(name)) : std::nullopt;
    if (!role) {
      if (IsCsv(name)) table.unused.push_back(name);
      continue;
    }
    ArrayPair& pair = role == ArraySplit::kTest         ? table.test
                      : role == ArraySplit::kValidation ? table.holdout
                                                        : table.train;
    if (pair.has_inputs())
      return Corrupt(StrCat(directory, ": ", Tables::NameOf(pair.inputs[0]), " and ", name, " are for one split, expected one file"));
    QAT_RETURN_IF_ERROR(tables.Add(name));
    pair = Tables::PairOf(name);
  }
  if (!table.train.complete()) {
    return NotFound(StrCat(directory, ": holds no table for training, expected train.csv; found ", SomeOf(files)));
  }
  // Without a table for testing, that for validation is it.
  if (!table.test.complete()) std::swap(table.test, table.holdout);
  return OpenTables(directory, tables, table, split, options);
}

}  // namespace qat
