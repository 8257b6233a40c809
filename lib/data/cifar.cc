// A record: the label (CIFAR-100: the coarse one, then the fine one), then 32x32 bytes of red, of green, of
// blue.
#include <algorithm>
#include <optional>

#include "base/file.h"
#include "base/strings.h"
#include "data/class_names.h"
#include "data/readers.h"
#include "data/test_split.h"

namespace qat {
namespace {

constexpr int32_t kSide = 32;
constexpr size_t kPlane = size_t{kSide} * kSide;

struct Variant {
  std::string_view what;
  size_t classes = 0;
  size_t label_bytes = 0;  // the last one is the label
  std::string_view train_prefix;
  std::string_view test;
  std::string_view names;
};

constexpr Variant kVariants[] = {
    {"CIFAR-10", 10, 1, "data_batch_", "test_batch.bin", "batches.meta.txt"},
    {"CIFAR-100", 100, 2, "train.bin", "test.bin", "fine_label_names.txt"},
};

bool IsOf(const Variant& variant, const std::string& name, Split split) {
  if (split == Split::kTest) return name == variant.test;
  return name.starts_with(variant.train_prefix) && name.ends_with(".bin");
}

const Variant* FindVariant(const std::vector<std::string>& files) {
  for (const Variant& variant : kVariants) {
    for (const std::string& name : files) {
      if (IsOf(variant, name, Split::kTrain) || IsOf(variant, name, Split::kTest)) return &variant;
    }
  }
  return nullptr;
}

// Planes to pixels.
void AppendImage(std::span<const uint8_t> planes, Bytes& images) {
  for (size_t i = 0; i < kPlane; ++i) {
    for (size_t c = 0; c < 3; ++c) images.push_back(planes[c * kPlane + i]);
  }
}

Status AppendRecords(const Variant& variant, const std::string& path, Dataset& dataset) {
  QAT_ASSIGN_OR_RETURN(const Bytes file, ReadFile(path));
  const std::span<const uint8_t> bytes = file;
  const size_t record = variant.label_bytes + 3 * kPlane;
  if (bytes.empty() || bytes.size() % record != 0) {
    return Corrupt(
        StrCat(path, ": holds ", bytes.size(), " bytes, expected a multiple of ", record, " (", variant.what,
               ": label and 32x32x3 pixels per image); it is cut off or a different kind of file"));
  }
  std::vector<int64_t> labels;
  for (size_t at = 0; at < bytes.size(); at += record) {
    labels.push_back(bytes[at + variant.label_bytes - 1]);
    AppendImage(bytes.subspan(at + variant.label_bytes, 3 * kPlane), dataset.images);
  }
  const auto images = static_cast<int64_t>(labels.size());
  QAT_RETURN_IF_ERROR(CheckLabels(path, labels, path, images, variant.classes));
  dataset.labels.insert(dataset.labels.end(), labels.begin(), labels.end());
  return {};
}

Expected<std::vector<std::string>> ClassNames(const Variant& variant, const std::string& directory,
                                              const std::vector<std::string>& files) {
  if (std::find(files.begin(), files.end(), variant.names) == files.end()) {
    return NumberedClasses(static_cast<int64_t>(variant.classes));
  }
  const std::string path = JoinPath(directory, variant.names);
  QAT_ASSIGN_OR_RETURN(auto names, ReadClassNames(path));
  if (names.size() == variant.classes) return names;
  return Corrupt(StrCat(path, ": holds ", names.size(), " names, expected ", variant.classes));
}

}  // namespace

bool HoldsCifar(const std::vector<std::string>& files) { return FindVariant(files) != nullptr; }

Expected<Dataset> OpenCifar(const std::string& directory, const std::vector<std::string>& files, Split split,
                            const OpenOptions& options) {
  const Variant& variant = *FindVariant(files);
  Dataset dataset;
  dataset.input().height = dataset.input().width = kSide;
  dataset.input().channels = 3;
  QAT_ASSIGN_OR_RETURN(dataset.class_names, ClassNames(variant, directory, files));
  const bool one_piece = std::find(files.begin(), files.end(), variant.test) == files.end();
  for (const std::string& name : files) {
    if (!IsOf(variant, name, one_piece ? Split::kTrain : split)) continue;
    QAT_RETURN_IF_ERROR(AppendRecords(variant, JoinPath(directory, name), dataset));
  }
  if (one_piece)
    KeepPart(split, options, StrCat("a file named ", variant.test, " makes another choice"), dataset);
  if (dataset.size() > 0) return dataset;
  const std::string expected = split == Split::kTest
                                   ? std::string(variant.test)
                                   : StrCat(variant.train_prefix, variant.label_bytes == 1 ? "1.bin, …" : "");
  return NotFound(StrCat(directory, ": holds no ", split == Split::kTest ? "test" : "training", " images of ",
                         variant.what, ", expected ", expected, "; found ", SomeOf(files)));
}

}  // namespace qat
