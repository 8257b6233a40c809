#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/file.h"
#include "base/strings.h"
#include "data/class_names.h"
#include "data/npy.h"
#include "data/npz.h"
#include "data/readers.h"

namespace qat {
namespace {

constexpr std::string_view kNames[] = {"x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy"};

/// Where arrays come from: a directory, or an archive.
struct Arrays {
  std::string path;
  std::optional<NpzFile> zip;
  std::vector<std::string> names;

  bool Has(std::string_view name) const { return std::find(names.begin(), names.end(), name) != names.end(); }
  std::string PathOf(std::string_view name) const {
    return zip ? StrCat(path, ": '", name, "'") : JoinPath(path, name);
  }

  Expected<NpyArray> Read(std::string_view name) const {
    if (!Has(name)) {
      return NotFound(StrCat(path, ": holds no ", name, ", expected ",
                             Join(std::vector<std::string>(std::begin(kNames), std::end(kNames))), "; found ",
                             SomeOf(names)));
    }
    if (!zip) return ReadNpy(PathOf(name));
    QAT_ASSIGN_OR_RETURN(const Bytes bytes, zip->Read(name));
    return ParseNpy(bytes, PathOf(name));
  }
};

// Integers of `Stored`, whatever their width.
template <class Stored>
std::vector<int64_t> Widened(const Bytes& values) {
  std::vector<int64_t> wide(values.size() / sizeof(Stored));
  for (size_t i = 0; i < wide.size(); ++i) {
    Stored value;
    std::memcpy(&value, &values[i * sizeof(Stored)], sizeof(Stored));
    wide[i] = static_cast<int64_t>(value);
  }
  return wide;
}

/// Labels [count, height, width], 1 and 1 where there is one an image; or real numbers [count, targets].
struct Labels {
  int32_t height = 1;
  int32_t width = 1;
  std::vector<int64_t> values;
  int32_t targets = 0;
  std::vector<float> numbers;
};

Expected<std::vector<int64_t>> Integers(const NpyArray& array, const std::string& path) {
  switch (array.type) {
    case DType::kUInt8:
      return Widened<uint8_t>(array.values);
    case DType::kInt8:
      return Widened<int8_t>(array.values);
    case DType::kInt16:
      return Widened<int16_t>(array.values);
    case DType::kInt32:
      return Widened<int32_t>(array.values);
    case DType::kInt64:
      return Widened<int64_t>(array.values);
    default:
      return Corrupt(StrCat(path, ": elements are ", NameOf(array.type),
                            ", expected integer labels, or real numbers as float32 or float64"));
  }
}

template <class Stored>
std::vector<float> Reals(const Bytes& values) {
  std::vector<float> reals(values.size() / sizeof(Stored));
  for (size_t i = 0; i < reals.size(); ++i) {
    Stored value;
    std::memcpy(&value, &values[i * sizeof(Stored)], sizeof(Stored));
    reals[i] = static_cast<float>(value);
  }
  return reals;
}

// A class a row, as Keras' to_categorical writes it.
bool AreOneHot(const std::vector<float>& numbers, int32_t targets) {
  if (targets < 2) return false;
  for (size_t row = 0; row < numbers.size(); row += static_cast<size_t>(targets)) {
    const auto begin = numbers.begin() + static_cast<std::ptrdiff_t>(row), end = begin + targets;
    if (std::count(begin, end, 1.0f) != 1 || std::count(begin, end, 0.0f) != targets - 1) return false;
  }
  return true;
}

Expected<Labels> RealNumbers(const NpyArray& array, const std::string& path) {
  const Shape& shape = array.shape;
  if ((shape.size() != 1 && shape.size() != 2) || std::find(shape.begin(), shape.end(), 0) != shape.end()) {
    return Corrupt(StrCat(path, ": shape ", ToString(shape), " of ", NameOf(array.type),
                          ", expected [count] or [count, numbers] of real numbers, none of them 0"));
  }
  Labels labels;
  labels.targets = shape.size() == 2 ? shape[1] : 1;
  labels.numbers = array.type == DType::kFloat32 ? Reals<float>(array.values) : Reals<double>(array.values);
  for (size_t i = 0; i < labels.numbers.size(); ++i) {
    if (std::isfinite(labels.numbers[i])) continue;
    return Corrupt(StrCat(path, ": example ", i / static_cast<size_t>(labels.targets), ": ",
                          labels.numbers[i], ", expected numbers that are finite in float32"));
  }
  if (AreOneHot(labels.numbers, labels.targets)) {
    return Corrupt(StrCat(path,
                          ": every row is one-hot, expected the index of the class as an integer, or real "
                          "numbers to be learned"));
  }
  return labels;
}

Expected<Labels> ReadLabels(const Arrays& arrays, std::string_view name) {
  QAT_ASSIGN_OR_RETURN(const NpyArray array, arrays.Read(name));
  if (array.type == DType::kFloat32 || array.type == DType::kFloat64)
    return RealNumbers(array, arrays.PathOf(name));
  const Shape& shape = array.shape;
  const bool column = shape.size() == 2 && shape[1] == 1;
  const bool pixels = shape.size() == 3 || (shape.size() == 4 && shape[3] == 1);
  if (shape.size() != 1 && !column && !pixels) {
    return Corrupt(
        StrCat(arrays.PathOf(name), ": shape ", ToString(shape),
               ", expected [count], one label an image, or [count, height, width], one a pixel; no "
               "one-hot rows"));
  }
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) {
    return Corrupt(StrCat(arrays.PathOf(name), ": shape ", ToString(shape), ", expected no size of 0"));
  }
  Labels labels;
  QAT_ASSIGN_OR_RETURN(labels.values, Integers(array, arrays.PathOf(name)));
  if (pixels) {
    labels.height = shape[1];
    labels.width = shape[2];
  }
  return labels;
}

Expected<NpyArray> ReadImages(const Arrays& arrays, std::string_view name) {
  QAT_ASSIGN_OR_RETURN(NpyArray array, arrays.Read(name));
  const std::string path = arrays.PathOf(name);
  if (array.type != DType::kUInt8) {
    return Corrupt(
        StrCat(path, ": elements are ", NameOf(array.type),
               ", expected uint8 pixels as they were stored; mean and std are a matter of the recipe"));
  }
  if (array.shape.size() != 3 && array.shape.size() != 4) {
    return Corrupt(StrCat(path, ": shape ", ToString(array.shape),
                          ", expected [count, height, width] or with channels"));
  }
  if (std::find(array.shape.begin(), array.shape.end(), 0) != array.shape.end()) {
    return Corrupt(StrCat(path, ": shape ", ToString(array.shape), ", expected no size of 0"));
  }
  return array;
}

// Those of class_names.txt; else numbers up to the largest label of either split.
Expected<std::vector<std::string>> ClassNames(const Arrays& arrays) {
  if (!arrays.zip && arrays.Has(kClassNamesFile))
    return ReadClassNames(JoinPath(arrays.path, kClassNamesFile));
  int64_t largest = 0;
  for (const std::string_view name : {"y_train.npy", "y_test.npy"}) {
    if (!arrays.Has(name)) continue;
    QAT_ASSIGN_OR_RETURN(const Labels labels, ReadLabels(arrays, name));
    for (const int64_t label : labels.values) largest = std::max(largest, label);
  }
  constexpr int64_t kMostClasses = 1 << 20;
  if (largest < kMostClasses) return NumberedClasses(largest + 1);
  return Corrupt(StrCat(arrays.path, ": labels reach ", largest, ", expected less than ", kMostClasses));
}

Status CheckCount(int64_t rows, const std::string& path, int64_t images, const std::string& images_path) {
  if (rows == images) return {};
  return Corrupt(StrCat(path, ": ", rows, " rows, but ", images_path, " holds ", images, " images"));
}

Expected<Dataset> OpenArrays(const Arrays& arrays, Split split) {
  const std::string_view x = split == Split::kTrain ? kNames[0] : kNames[2];
  const std::string_view y = split == Split::kTrain ? kNames[1] : kNames[3];
  QAT_ASSIGN_OR_RETURN(NpyArray images, ReadImages(arrays, x));
  QAT_ASSIGN_OR_RETURN(const Labels labels, ReadLabels(arrays, y));
  Dataset dataset;
  dataset.label_height = labels.height;
  dataset.label_width = labels.width;
  dataset.targets = labels.targets;
  dataset.numbers = labels.numbers;
  if (dataset.targets > 0) {
    QAT_RETURN_IF_ERROR(CheckCount(dataset.size(), arrays.PathOf(y), images.shape[0], arrays.PathOf(x)));
  } else {
    QAT_ASSIGN_OR_RETURN(dataset.class_names, ClassNames(arrays));
    QAT_RETURN_IF_ERROR(CheckLabels(arrays.PathOf(y), labels.values, arrays.PathOf(x), images.shape[0],
                                    dataset.class_names.size(), dataset.LabelsPerImage()));
  }
  dataset.height = images.shape[1];
  dataset.width = images.shape[2];
  dataset.channels = images.shape.size() == 4 ? images.shape[3] : 1;
  dataset.images = std::move(images.values);
  dataset.labels.assign(labels.values.begin(), labels.values.end());
  return dataset;
}

}  // namespace

bool HoldsNumpy(const std::vector<std::string>& files) {
  return std::any_of(files.begin(), files.end(), [](const std::string& name) {
    return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
  });
}

Expected<Dataset> OpenNumpyDirectory(const std::string& directory, const std::vector<std::string>& files,
                                     Split split) {
  return OpenArrays({directory, std::nullopt, files}, split);
}

Expected<Dataset> OpenNpz(const std::string& path, Split split) {
  QAT_ASSIGN_OR_RETURN(NpzFile zip, NpzFile::Open(path));
  std::vector<std::string> names = zip.names();
  return OpenArrays({path, std::move(zip), std::move(names)}, split);
}

}  // namespace qat
