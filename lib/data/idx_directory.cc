#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "base/strings.h"
#include "data/array_dataset.h"
#include "data/class_names.h"
#include "data/idx.h"
#include "data/readers.h"

namespace qat {
namespace {

constexpr std::string_view kEmnist = "emnist-";

/// The name of one file, taken apart: "emnist-letters-train-images-idx3-ubyte.gz".
struct IdxName {
  std::string prefix;  // "emnist-letters-"; of MNIST's own files, empty
  ArraySplit split = ArraySplit::kTrain;
  bool labels = false;
};

std::optional<ArraySplit> SplitOf(std::string_view word) {
  return word == "t10k" ? ArraySplit::kTest : SplitNamed(word);
}

// MNIST's names as they are found in the wild: '-' or '.' before "idx", plain or gzip, with the name of a set
// in front.
std::optional<IdxName> ParseName(std::string_view name) {
  if (name.ends_with(".gz")) name.remove_suffix(3);
  if (!name.ends_with("-ubyte")) return std::nullopt;
  const size_t idx = name.rfind("idx");
  if (idx == std::string_view::npos || idx < 2) return std::nullopt;
  name = name.substr(0, idx - 1);
  IdxName parts;
  const size_t dash = name.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view what = name.substr(dash + 1);
  if (what != "images" && what != "labels") return std::nullopt;
  parts.labels = what == "labels";
  name = name.substr(0, dash);
  const size_t before = name.rfind('-');
  const size_t word = before == std::string_view::npos ? 0 : before + 1;
  const std::optional<ArraySplit> split = SplitOf(name.substr(word));
  if (!split) return std::nullopt;
  parts.split = *split;
  parts.prefix = std::string(name.substr(0, word));
  return parts;
}

/// Tables by prefix.
using Tables = std::map<std::string, ArrayTable>;

Tables FindTables(const std::vector<std::string>& files) {
  Tables tables;
  for (const std::string& file : files) {
    const std::optional<IdxName> parts = ParseName(file);
    if (!parts) continue;
    ArrayTable& table = tables[parts->prefix];
    ArrayPair& pair = parts->split == ArraySplit::kTrain  ? table.train
                      : parts->split == ArraySplit::kTest ? table.test
                                                          : table.holdout;
    pair.inputs.resize(1);
    std::string& place = parts->labels ? pair.labels : pair.inputs[0];
    // Sorted names: a plain file comes before the same with .gz.
    if (place.empty()) place = file;
  }
  return tables;
}

Error Missing(const std::string& directory, const std::vector<std::string>& files, Split split,
              const std::string& prefix, std::string_view what) {
  const bool training = split == Split::kTrain;
  return NotFound(StrCat(
      directory, ": holds no ", training ? "training " : "test ", what, ", expected ", prefix,
      training         ? "train-"
      : prefix.empty() ? "t10k-"
                       : "test-",
      what, "-idx", what == "labels" ? "1" : "3", "-ubyte or the same with .gz; found ", SomeOf(files)));
}

// Lines "label code code", as EMNIST's mapping has them: the names are the characters of the first codes.
Expected<std::vector<std::string>> ReadMapping(const std::string& path) {
  QAT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  std::vector<std::string> names;
  for (const std::string& line : SplitText(text, '\n')) {
    const size_t space = line.find(' ');
    if (space == std::string::npos) continue;
    const int code = std::atoi(line.c_str() + space);
    if (code <= ' ' || code > '~') {
      return Corrupt(StrCat(path, ": line ", names.size() + 1, " is '", line,
                            "', expected a label and the code of its character, as in '10 65'"));
    }
    names.emplace_back(1, static_cast<char>(code));
  }
  return names;
}

Status ReadNames(const std::vector<std::string>& files, const std::string& prefix, ArraySource& source) {
  const std::string mapping = prefix + "mapping.txt";
  if (std::binary_search(files.begin(), files.end(), kClassNamesFile)) {
    source.class_names_path = source.path_of(std::string(kClassNamesFile));
    QAT_ASSIGN_OR_RETURN(source.class_names, ReadClassNames(source.class_names_path));
  } else if (!prefix.empty() && std::binary_search(files.begin(), files.end(), mapping)) {
    source.class_names_path = source.path_of(mapping);
    QAT_ASSIGN_OR_RETURN(source.class_names, ReadMapping(source.class_names_path));
  }
  return {};
}

// Images only: rows become columns.
void Transpose(IdxArray& array) {
  if (array.shape.size() != 3) return;
  const auto count = static_cast<size_t>(array.shape[0]), height = static_cast<size_t>(array.shape[1]),
             width = static_cast<size_t>(array.shape[2]);
  Bytes turned(array.values.size());
  for (size_t n = 0; n < count; ++n) {
    const size_t image = n * height * width;
    for (size_t y = 0; y < height; ++y) {
      for (size_t x = 0; x < width; ++x) turned[image + x * height + y] = array.values[image + y * width + x];
    }
  }
  array.values = std::move(turned);
  std::swap(array.shape[1], array.shape[2]);
}

Expected<const Tables::value_type*> TheOnlyOne(const std::string& directory, const Tables& tables) {
  if (tables.size() == 1) return &*tables.begin();
  std::vector<std::string> prefixes;
  for (const auto& [prefix, table] : tables) prefixes.push_back(StrCat("'", prefix, "'"));
  return Corrupt(StrCat(directory, ": holds ", tables.size(), " data sets (files that begin with ",
                        Join(prefixes), "), expected one; give each a folder of its own"));
}

}  // namespace

bool HoldsIdx(const std::vector<std::string>& files) {
  return std::any_of(files.begin(), files.end(),
                     [](const std::string& name) { return name.find("-ubyte") != std::string::npos; });
}

Expected<Dataset> OpenIdxDirectory(const std::string& directory, const std::vector<std::string>& files,
                                   Split split, const OpenOptions& options) {
  const Tables tables = FindTables(files);
  if (tables.empty()) return Missing(directory, files, split, "", "images");
  QAT_ASSIGN_OR_RETURN(const Tables::value_type* only, TheOnlyOne(directory, tables));
  ArrayTable table = only->second;
  if (table.test == ArrayPair()) std::swap(table.test, table.holdout);
  const bool one_piece = table.test == ArrayPair() && table.train.complete();
  const ArrayPair& pair = split == Split::kTrain || one_piece ? table.train : table.test;
  const std::string images = pair.has_inputs() ? pair.inputs[0] : "";
  for (const auto& [what, name] : {std::pair("images", images), std::pair("labels", pair.labels)}) {
    if (name.empty()) return Missing(directory, files, split, only->first, what);
  }
  ArraySource source;
  source.path = directory;
  source.path_of = [&](const std::string& name) { return JoinPath(directory, name); };
  source.read = [&](const std::string& name) -> Expected<NpyArray> {
    QAT_ASSIGN_OR_RETURN(IdxArray array, ReadIdx(source.path_of(name)));
    if (name.starts_with(kEmnist)) Transpose(array);
    return NpyArray{DType::kUInt8, std::move(array.shape), std::move(array.values)};
  };
  source.advice = "files named t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte make another choice";
  QAT_RETURN_IF_ERROR(ReadNames(files, only->first, source));
  // The format is one of pictures.
  OpenOptions pictures = options;
  if (pictures.layout == ArrayLayout::kAuto) pictures.layout = ArrayLayout::kPictures;
  QAT_ASSIGN_OR_RETURN(Dataset dataset, OpenArrayDataset(source, table, split, pictures));
  if (only->first.starts_with(kEmnist)) {
    dataset.notes.emplace_back("EMNIST stores its images transposed; they were turned upright");
  }
  return dataset;
}

}  // namespace qat
