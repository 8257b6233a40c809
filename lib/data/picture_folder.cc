#include <algorithm>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>
#include <tuple>

#include "base/check.h"
#include "base/file.h"
#include "base/strings.h"
#include "data/fingerprint.h"
#include "data/image.h"
#include "data/picture_files.h"
#include "data/picture_labels.h"
#include "data/picture_loader.h"
#include "data/picture_size.h"
#include "data/picture_values.h"
#include "data/readers.h"
#include "data/sample.h"

namespace qat {
namespace {

constexpr size_t kScanned = 512;  // pictures in work at once while a folder is opened

// Picks the pictures that could be decoded, and reads them again when they are asked for.
class PictureStream final : public ImageStream {
 public:
  PictureStream(std::shared_ptr<PictureLoader> loader, std::vector<int32_t> kept)
      : loader_(std::move(loader)), kept_(std::move(kept)) {}

  Status Read(std::span<const int32_t> examples, std::span<uint8_t> out,
              std::span<const int32_t> next) const override {
    const std::vector<int32_t> now = FilesOf(examples);
    const std::lock_guard turn(*turns_);  // threads that train together read in turns
    loader_->Start(now, FilesOf(next));
    auto to = out.begin();
    for (const int32_t file : now) {
      QAT_ASSIGN_OR_RETURN(const Bytes pixels, loader_->Take(file));
      to = std::copy(pixels.begin(), pixels.end(), to);
    }
    return {};
  }

 private:
  std::vector<int32_t> FilesOf(std::span<const int32_t> examples) const {
    std::vector<int32_t> files;
    for (const int32_t example : examples) files.push_back(kept_[static_cast<size_t>(example)]);
    return files;
  }
  std::shared_ptr<PictureLoader> loader_;
  std::shared_ptr<std::mutex> turns_ = std::make_shared<std::mutex>();
  std::vector<int32_t> kept_;  // example -> file
};

int WorkersOf(const OpenOptions& options) {
  const int cores = static_cast<int>(std::max(std::thread::hardware_concurrency(), 1u));
  return std::max(1, options.threads > 0 ? options.threads : cores);
}

/// What was read of each picture: written by the thread that decodes it.
using Highest = std::vector<std::optional<uint16_t>>;

// `highest` and `labels`: null where nobody asks.
PictureLoader::Load LoadFrom(std::shared_ptr<const std::vector<PictureFile>> files, const PictureForm& form,
                             std::shared_ptr<Highest> highest, std::shared_ptr<PictureLabels> labels) {
  return [files = std::move(files), form, highest = std::move(highest),
          labels = std::move(labels)](int32_t index) -> Expected<Bytes> {
    const auto at = static_cast<size_t>(index);
    const PictureFile& file = (*files)[at];
    QAT_ASSIGN_OR_RETURN(PictureValues picture, ReadPictureValues(file.path, form));
    if (highest != nullptr) (*highest)[at] = picture.highest;
    if (labels != nullptr && !file.labels.empty())
      QAT_RETURN_IF_ERROR(labels->Read(at, file, picture.height, picture.width, form));
    return std::move(picture.values);
  };
}

// `what`, then the first few of many.
std::string WarningOf(const std::string& what, const std::vector<std::string>& all) {
  constexpr size_t kNamed = 3;
  const auto named = std::span(all).first(std::min(kNamed, all.size()));
  return StrCat(what, ": ", Join(named, "; "), named.size() < all.size() ? "; …" : "");
}

constexpr std::string_view kReading = "reading pictures";  // where it may be interrupted

// Decodes every picture once: fills a data set that fits the cache, learns what is broken, takes the
// fingerprint.
class Scan {
 public:
  Scan(const std::vector<PictureFile>& files, PictureLoader& loader, const OpenOptions& options,
       Dataset& dataset)
      : files_(files),
        loader_(loader),
        options_(options),
        dataset_(dataset),
        cached_(Count() * dataset.ImageSize() <= options.cache_bytes),
        fingerprint_(Count(), dataset) {}

  Status Run() {
    if (cached_) dataset_.images.reserve(static_cast<size_t>(Count() * dataset_.ImageSize()));
    std::vector<int32_t> all(files_.size());
    std::iota(all.begin(), all.end(), 0);
    for (size_t first = 0; first < all.size(); first += kScanned) {
      QAT_RETURN_IF_ERROR(options_.hooks.Poll(kReading));
      const auto now = Part(all, first);
      loader_.Start(now, Part(all, first + kScanned));
      for (const int32_t file : now) QAT_RETURN_IF_ERROR(Take(file));
      options_.hooks.Progress("read pictures", static_cast<int64_t>(std::min(first + kScanned, all.size())),
                              Count());
    }
    loader_.Start({}, {});
    if (dataset_.size() == 0)
      return Corrupt(StrCat("none of ", Count(), " pictures can be read; ", broken_[0]));
    if (!broken_.empty()) {
      dataset_.warning = WarningOf(StrCat("left out ", broken_.size(), " of ", Count(),
                                          " pictures that cannot be read (`strict` stops there)"),
                                   broken_);
    }
    return {};
  }

  bool cached() const { return cached_; }
  /// Once the labels are those of the data set.
  void TakeFingerprint() {
    if (std::ssize(kept_) == Count()) dataset_.fingerprint = fingerprint_.Finish(dataset_.labels);
  }
  const std::vector<int32_t>& kept() const { return kept_; }

 private:
  int64_t Count() const { return static_cast<int64_t>(files_.size()); }

  static std::span<const int32_t> Part(std::span<const int32_t> all, size_t first) {
    const size_t begin = std::min(first, all.size());
    return all.subspan(begin, std::min(kScanned, all.size() - begin));
  }

  Status Take(int32_t file) {
    Expected<Bytes> pixels = loader_.Take(file);
    if (!pixels.ok()) {
      const bool of_the_file = pixels.error().code != ErrorCode::kSystem;
      if (options_.strict || !of_the_file) return std::move(pixels).error();
      broken_.push_back(pixels.error().message);
      return {};
    }
    kept_.push_back(file);
    dataset_.labels.push_back(files_[static_cast<size_t>(file)].label);
    fingerprint_.Add(*pixels);
    if (cached_) dataset_.images.insert(dataset_.images.end(), pixels->begin(), pixels->end());
    return {};
  }

  const std::vector<PictureFile>& files_;
  PictureLoader& loader_;
  const OpenOptions& options_;
  Dataset& dataset_;
  const bool cached_;
  FingerprintStream fingerprint_;
  std::vector<int32_t> kept_;
  std::vector<std::string> broken_;
};

// Leaves a sample of the files, and says which they were.
std::vector<int32_t> TakeSample(const OpenOptions& options, PictureFiles& pictures) {
  std::vector<int32_t> indices;
  if (options.limit <= 0 || options.limit >= std::ssize(pictures.files)) return indices;
  Dataset labels;
  labels.labelled = !options.unlabelled;
  for (const PictureFile& file : pictures.files) labels.labels.push_back(file.label);
  indices = options.prefix ? FirstOf(options.limit) : SampleOf(labels, options.limit, options.seed);
  std::vector<PictureFile> sample;
  for (const int32_t index : indices) sample.push_back(std::move(pictures.files[static_cast<size_t>(index)]));
  pictures.files = std::move(sample);
  return indices;
}

// Labels where there are any; where they are not needed, any pictures do.
Expected<PictureFiles> FindPictures(const std::string& directory, Split split, const OpenOptions& options) {
  QAT_ASSIGN_OR_RETURN(const bool with_labels, HoldsLabelPictures(directory));
  if (with_labels) {
    QAT_ASSIGN_OR_RETURN(PictureFiles pictures, ListLabelPictures(directory, split, options.whole));
    if (options.unlabelled || options.task == Task::kReconstruction) {
      for (PictureFile& file : pictures.files) file.labels.clear();
    }
    return pictures;
  }
  auto pictures = ListPictures(directory, split, options.class_names, options.whole);
  return pictures.ok() || !options.unlabelled ? pictures : ListUnlabelledPictures(directory);
}

// `assumed`: a model has these classes, but nobody knows in which order.
void Describe(const PictureFiles& pictures, const Scan& scan, bool assumed, Dataset& dataset) {
  dataset.notes = pictures.notes;
  if (assumed) {
    Warn(StrCat("the model names no classes, so they are taken to be the folders in sorted order (0 is '",
                dataset.class_names.front(), "', ", dataset.class_names.size() - 1, " is '",
                dataset.class_names.back(),
                "'); if it learned them in another order, its accuracy is wrong: `labels` takes a file with "
                "its names"),
         dataset);
  }
  if (!pictures.warning.empty()) Warn(pictures.warning, dataset);
  const int64_t training = std::ssize(pictures.files) - pictures.own_holdout;
  dataset.own_holdout =
      std::count_if(scan.kept().begin(), scan.kept().end(), [&](int32_t file) { return file >= training; });
  if (!pictures.passed_over.empty()) {
    Warn(WarningOf(StrCat("passed over ", pictures.passed_over.size(),
                          " folders and pictures of other formats (expected JPEG, PNG or BMP)"),
                   pictures.passed_over),
         dataset);
  }
  if (!pictures.unused.empty())
    Warn(WarningOf("not used, since a split is a folder train/, test/ or val/ of one folder per class",
                   pictures.unused),
         dataset);
}

// Labels stay in memory, unlike pictures.
Status CheckLabelsFit(const std::vector<PictureFile>& files, const OpenOptions& options) {
  constexpr int64_t kMostLabels = int64_t{1} << 30;  // 8 GiB, while they become classes
  const int64_t labels = std::ssize(files) * options.height * options.width;
  if (files.front().labels.empty() || labels <= kMostLabels) return {};
  return Unsupported(StrCat(files.size(), " pictures of ", options.width, "x", options.height, " have ",
                            labels, " labels, expected ", kMostLabels,
                            " at most: let the network take smaller pictures, or leave some out"));
}

// What the values of pictures are, where a network or the other split leaves it open: one with 16 bits per
// sample makes all of them real numbers. Asked of every file of the split, so a sample decides as all of them
// do.
Status ChooseValues(const std::vector<PictureFile>& files, OpenOptions& options) {
  const bool open = !options.values || (options.values == ValueType::kReal && options.white == 0);
  if (!open) return {};
  bool deep = false;
  for (size_t i = 0; i < files.size() && !deep; ++i) {
    if (i % kScanned == 0) QAT_RETURN_IF_ERROR(options.hooks.Poll(kReading));
    deep = IsDeepFile(files[i].path);
  }
  if (!options.values) options.values = deep ? ValueType::kReal : ValueType::kByte;
  options.white = deep ? kWhiteOfDeep : kWhiteOfBytes;
  return {};
}

// Says where values are not those of the files.
void DescribeValues(const Highest& highest, const PictureForm& form, const Scan& scan,
                    const std::vector<PictureFile>& files, Dataset& dataset) {
  std::vector<std::string> deep, bytes;
  int32_t most = 0;
  for (const int32_t kept : scan.kept()) {
    const auto at = static_cast<size_t>(kept);
    (highest[at] ? deep : bytes).push_back(files[at].path);
    most = std::max<int32_t>(most, highest[at].value_or(0));
  }
  const auto have = [&](const std::vector<std::string>& some, int bits) {
    return StrCat(some.size(), " of ", dataset.size(), " pictures have ", bits, " bits per sample");
  };
  if (form.values == ValueType::kByte && !deep.empty()) {
    Warn(WarningOf(
             StrCat(have(deep, 16),
                    " and are divided by 257, since the network takes bytes: their highest value, ", most,
                    ", becomes ", (most + 128) / 257,
                    " of 255; a network of real numbers (values = \"reals\" in its spec) keeps all bits"),
             deep),
         dataset);
  }
  if (form.values == ValueType::kByte) return;
  if (form.white == kWhiteOfDeep && !deep.empty())
    dataset.notes.push_back(
        StrCat(have(deep, 16), ": values are real numbers, 0 to 65535, the highest ", most));
  if (form.white == kWhiteOfDeep && !bytes.empty())
    dataset.notes.push_back(WarningOf(
        StrCat(have(bytes, 8), " and are multiplied by 257, so that white is 65535, as in those of 16 bits"),
        bytes));
  if (form.white == kWhiteOfBytes && !deep.empty())
    dataset.notes.push_back(WarningOf(
        StrCat(have(deep, 16), " and are divided by 257, so that white is 255, as in those of 8 bits"),
        deep));
}

}  // namespace

Expected<Dataset> OpenPictureFolder(const std::string& directory, Split split, const OpenOptions& asked) {
  OpenOptions options = asked;
  if (options.channels != 0 && options.channels != 1 && options.channels != 3) {
    return InvalidArgument(StrCat(directory, ": the network takes ", options.channels,
                                  " channels, expected 3 (RGB) or 1 (grey) for pictures"));
  }
  QAT_ASSIGN_OR_RETURN(PictureFiles pictures, FindPictures(directory, split, options));
  if (options.height == 0 || options.channels == 0) {
    QAT_ASSIGN_OR_RETURN_IN(directory, const PictureSize fitted, FittedSize(pictures.files));
    if (options.height == 0) std::tie(options.height, options.width) = std::tie(fitted.height, fitted.width);
    if (options.channels == 0) options.channels = fitted.channels;
  }
  QAT_RETURN_IF_ERROR(ChooseValues(pictures.files, options));
  const PictureForm form = {options.height, options.width,   options.channels,
                            options.fit,    *options.values, options.white};
  Dataset dataset;
  dataset.of_pictures = true;
  dataset.white = form.values == ValueType::kReal ? form.white : 0;
  dataset.input().height = options.height;
  dataset.input().width = options.width;
  dataset.input().channels = options.channels;
  dataset.input().values = form.values;
  dataset.labelled = !pictures.class_names.empty();
  dataset.class_names = std::move(pictures.class_names);
  const int64_t available = std::ssize(pictures.files);
  const std::vector<int32_t> sample = TakeSample(options, pictures);
  QAT_RETURN_IF_ERROR_IN(directory, CheckLabelsFit(pictures.files, options));
  const auto files = std::make_shared<const std::vector<PictureFile>>(pictures.files);
  const auto highest = std::make_shared<Highest>(files->size());
  const auto labels = std::make_shared<PictureLabels>(files->size());
  const auto loader =
      std::make_shared<PictureLoader>(LoadFrom(files, form, highest, labels), WorkersOf(options) - 1);
  Scan scan(*files, *loader, options, dataset);
  QAT_RETURN_IF_ERROR_IN(directory, scan.Run());
  Describe(pictures, scan, options.label_indices && dataset.labelled, dataset);
  DescribeValues(*highest, form, scan, *files, dataset);
  if (!files->front().labels.empty()) {
    QAT_RETURN_IF_ERROR(labels->GiveTo(scan.kept(), *files, pictures.other, directory, options, dataset));
    dataset.labelled = true;
  }
  scan.TakeFingerprint();
  if (!sample.empty()) {
    dataset.available = available;
    for (const int32_t file : scan.kept()) dataset.indices.push_back(sample[static_cast<size_t>(file)]);
  }
  if (!pictures.special.empty()) {
    dataset.warning += dataset.warning.empty() ? "" : "\n";
    dataset.warning += SpecialFilesWarning(pictures.special);
  }
  if (!scan.cached()) {
    // While pictures stream, the caller computes: as many threads as cores decode for it.
    auto streaming =
        std::make_shared<PictureLoader>(LoadFrom(files, form, nullptr, nullptr), WorkersOf(options));
    dataset.stream = std::make_shared<PictureStream>(std::move(streaming), scan.kept());
  }
  return dataset;
}

}  // namespace qat
