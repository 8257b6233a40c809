#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/strings.h"
#include "data/class_names.h"
#include "data/idx.h"
#include "data/readers.h"

namespace qat {
namespace {

constexpr int32_t kMnistClasses = 10;

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
Expected<std::vector<std::string>> ClassNames(const std::string& directory,
                                              const std::vector<std::string>& files) {
  if (!std::binary_search(files.begin(), files.end(), kClassNamesFile)) return NumberedClasses(kMnistClasses);
  return ReadClassNames(JoinPath(directory, kClassNamesFile));
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
  QAT_ASSIGN_OR_RETURN(dataset.class_names, ClassNames(directory, files));
  QAT_ASSIGN_OR_RETURN(const IdxArray labels, ReadIdx(labels_path));
  QAT_ASSIGN_OR_RETURN(IdxArray images, ReadIdx(images_path));
  QAT_RETURN_IF_ERROR(CheckImages(images_path, images.shape));
  if (labels.shape.size() != 1) {
    return Corrupt(StrCat(labels_path, ": shape ", ToString(labels.shape), ", expected [count]"));
  }
  const std::vector<int64_t> checked(labels.values.begin(), labels.values.end());
  QAT_RETURN_IF_ERROR(
      CheckLabels(labels_path, checked, images_path, images.shape[0], dataset.class_names.size()));
  dataset.height = images.shape[1];
  dataset.width = images.shape[2];
  dataset.channels = images.shape.size() == 4 ? images.shape[3] : 1;
  dataset.images = std::move(images.values);
  dataset.labels.assign(labels.values.begin(), labels.values.end());
  return dataset;
}

}  // namespace qat
