#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/strings.h"
#include "data/idx.h"
#include "data/readers.h"

namespace qat {
namespace {

constexpr int32_t kMnistClasses = 10;
constexpr std::string_view kClassNamesFile = "class_names.txt";

struct IdxNames {
  std::string_view split;                 // in messages
  std::array<std::string_view, 2> stems;  // the second one is a common renaming
};

IdxNames NamesOf(Split split) {
  if (split == Split::kTrain) return {"training", {"train", "train"}};
  return {"test", {"t10k", "test"}};
}

// MNIST's names as they are found in the wild: '-' or '.' before "idx", plain or gzip.
std::optional<std::string> FindIdx(const std::vector<std::string>& names, Split split, std::string_view what,
                                   std::string_view dimensions) {
  for (const std::string_view stem : NamesOf(split).stems) {
    for (const char separator : {'-', '.'}) {
      for (const char digit : dimensions) {
        for (const std::string_view suffix : {"", ".gz"}) {
          std::string name = StrCat(stem, "-", what, separator, "idx", digit, "-ubyte", suffix);
          if (std::binary_search(names.begin(), names.end(), name)) return name;
        }
      }
    }
  }
  return std::nullopt;
}

Expected<std::string> RequireIdx(const std::string& directory, const std::vector<std::string>& names,
                                 Split split, std::string_view what, std::string_view dimensions) {
  if (const auto name = FindIdx(names, split, what, dimensions)) return JoinPath(directory, *name);
  const IdxNames expected = NamesOf(split);
  return NotFound(StrCat(directory, ": holds no ", expected.split, " ", what, ", expected ",
                         expected.stems[0], "-", what, "-idx", dimensions[0],
                         "-ubyte or the same with .gz; found ", SomeOf(names)));
}

// Lines of class_names.txt where the directory has one; else the ten digits.
Expected<std::vector<std::string>> ReadClassNames(const std::string& directory,
                                                  const std::vector<std::string>& files) {
  std::vector<std::string> class_names;
  if (!std::binary_search(files.begin(), files.end(), std::string(kClassNamesFile))) {
    for (int32_t i = 0; i < kMnistClasses; ++i) class_names.push_back(std::to_string(i));
    return class_names;
  }
  const std::string path = JoinPath(directory, kClassNamesFile);
  QAT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  for (std::string line : SplitText(text, '\n')) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    class_names.push_back(std::move(line));
  }
  while (!class_names.empty() && class_names.back().empty()) class_names.pop_back();
  if (class_names.empty()) return Corrupt(StrCat(path, ": is empty, expected one class name a line"));
  return class_names;
}

Status CheckImages(const std::string& path, const Shape& shape) {
  if (shape.size() != 3 && shape.size() != 4) {
    return Corrupt(
        StrCat(path, ": shape ", ToString(shape), ", expected [count, height, width] or with channels"));
  }
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) {
    return Corrupt(StrCat(path, ": shape ", ToString(shape), ", expected no size of 0"));
  }
  return {};
}

Status CheckLabels(const std::string& path, const IdxArray& labels, const std::string& images_path,
                   int64_t images, size_t classes) {
  if (labels.shape.size() != 1) {
    return Corrupt(StrCat(path, ": shape ", ToString(labels.shape), ", expected [count]"));
  }
  if (labels.shape[0] != images) {
    return Corrupt(
        StrCat(path, ": ", labels.shape[0], " labels, but ", images_path, " holds ", images, " images"));
  }
  for (size_t i = 0; i < labels.values.size(); ++i) {
    if (labels.values[i] >= classes) {
      return Corrupt(StrCat(path, ": example ", i, ": label ", labels.values[i], ", expected 0 to ",
                            classes - 1, " (", kClassNamesFile, " beside it names other classes)"));
    }
  }
  return {};
}

}  // namespace

bool HoldsIdx(const std::vector<std::string>& files) {
  return std::any_of(files.begin(), files.end(),
                     [](const std::string& name) { return name.find("-ubyte") != std::string::npos; });
}

Expected<Dataset> OpenIdxDirectory(const std::string& directory, const std::vector<std::string>& files,
                                   Split split) {
  QAT_ASSIGN_OR_RETURN(const std::string images_path, RequireIdx(directory, files, split, "images", "34"));
  QAT_ASSIGN_OR_RETURN(const std::string labels_path, RequireIdx(directory, files, split, "labels", "1"));
  Dataset dataset;
  dataset.name = directory;
  QAT_ASSIGN_OR_RETURN(dataset.class_names, ReadClassNames(directory, files));
  QAT_ASSIGN_OR_RETURN(const IdxArray labels, ReadIdx(labels_path));
  QAT_ASSIGN_OR_RETURN(IdxArray images, ReadIdx(images_path));
  QAT_RETURN_IF_ERROR(CheckImages(images_path, images.shape));
  QAT_RETURN_IF_ERROR(
      CheckLabels(labels_path, labels, images_path, images.shape[0], dataset.class_names.size()));
  dataset.height = images.shape[1];
  dataset.width = images.shape[2];
  dataset.channels = images.shape.size() == 4 ? images.shape[3] : 1;
  dataset.images = std::move(images.values);
  dataset.labels.assign(labels.values.begin(), labels.values.end());
  return dataset;
}

}  // namespace qat
