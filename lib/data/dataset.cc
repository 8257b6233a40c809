#include "data/dataset.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/check.h"
#include "base/strings.h"
#include "data/digits.h"
#include "data/fingerprint.h"
#include "data/readers.h"

namespace qat {
namespace {

constexpr std::string_view kFormats =
    "IDX files, CIFAR's .bin files, x_train.npy and its like, or pictures (one folder a class)";

void Truncate(Dataset& dataset, int64_t limit) {
  if (limit <= 0 || limit >= dataset.size()) return;
  if (dataset.targets > 0) {
    dataset.numbers.resize(static_cast<size_t>(limit * dataset.targets));
  } else {
    dataset.labels.resize(static_cast<size_t>(limit * dataset.LabelsPerImage()));
  }
  dataset.images.resize(static_cast<size_t>(limit * dataset.ImageSize()));
}

Error NoSuchData(const std::string& data) {
  static const std::vector<std::string> kGenerated = {"digits"};
  const bool looks_like_path = data.find('/') != std::string::npos;
  const std::string nearest = looks_like_path ? "" : Nearest(data, kGenerated);
  return NotFound(StrCat(data, ": no such directory",
                         nearest.empty()
                             ? StrCat(", expected 'digits', an .npz file or a directory of ", kFormats)
                             : StrCat("; did you mean '", nearest, "'?")));
}

bool HoldsFolders(const std::string& directory, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return IsDirectory(JoinPath(directory, name)); });
}

Expected<Dataset> OpenDirectory(const std::string& directory, Split split, const OpenOptions& options) {
  QAT_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDirectory(directory));
  if (HoldsIdx(names)) return OpenIdxDirectory(directory, names, split);
  if (HoldsCifar(names)) return OpenCifar(directory, names, split);
  if (HoldsNumpy(names)) return OpenNumpyDirectory(directory, names, split);
  if (HoldsFolders(directory, names)) return OpenPictureFolder(directory, split, options);
  return NotFound(StrCat(directory,
                         ": holds no data, expected IDX files or a folder of pictures a class; found ",
                         SomeOf(names)));
}

}  // namespace

std::string SomeOf(const std::vector<std::string>& names) {
  constexpr size_t kShown = 6;
  if (names.empty()) return "nothing";
  const size_t shown = std::min(names.size(), kShown);
  std::string text = Join(std::span(names).first(shown));
  if (shown < names.size()) text += StrCat(" and ", names.size() - shown, " more");
  return text;
}

std::span<const int32_t> Dataset::LabelsOf(int64_t index) const {
  const auto count = static_cast<size_t>(LabelsPerImage());
  return std::span(labels).subspan(static_cast<size_t>(index) * count, count);
}

std::span<const float> Dataset::NumbersOf(int64_t index) const {
  const auto count = static_cast<size_t>(targets);
  return std::span(numbers).subspan(static_cast<size_t>(index) * count, count);
}

std::span<const uint8_t> Dataset::Image(int64_t index) const {
  QAT_CHECK(stream == nullptr);
  const auto size = static_cast<size_t>(ImageSize());
  return std::span(images).subspan(static_cast<size_t>(index) * size, size);
}

Status Dataset::Read(std::span<const int32_t> examples, std::span<uint8_t> out,
                     std::span<const int32_t> next) const {
  const auto size = static_cast<size_t>(ImageSize());
  QAT_CHECK(out.size() == examples.size() * size);
  if (stream != nullptr) return stream->Read(examples, out, next);
  for (size_t i = 0; i < examples.size(); ++i) {
    const auto image = Image(examples[i]);
    std::copy(image.begin(), image.end(), out.begin() + static_cast<ptrdiff_t>(i * size));
  }
  return {};
}

Status ForEachBatch(const Dataset& dataset, int64_t batch, const UseBatch& use) {
  QAT_CHECK(batch > 0);
  std::vector<int32_t> all(static_cast<size_t>(dataset.size()));
  std::iota(all.begin(), all.end(), 0);
  Bytes copy;
  const auto part = [&](int64_t first) {
    const int64_t begin = std::min(first, dataset.size());
    return std::span(all).subspan(static_cast<size_t>(begin),
                                  static_cast<size_t>(std::min(batch, dataset.size() - begin)));
  };
  for (int64_t first = 0; first < dataset.size(); first += batch) {
    const auto examples = part(first);
    const size_t bytes = examples.size() * static_cast<size_t>(dataset.ImageSize());
    std::span<const uint8_t> images;
    if (dataset.stream == nullptr) {
      images = std::span(dataset.images).subspan(static_cast<size_t>(first * dataset.ImageSize()), bytes);
    } else {
      copy.resize(bytes);
      QAT_RETURN_IF_ERROR(dataset.Read(examples, copy, part(first + batch)));
      images = copy;
    }
    QAT_RETURN_IF_ERROR(use(first, static_cast<int64_t>(examples.size()), images));
  }
  return {};
}

Expected<Dataset> OpenDataset(const std::string& data, Split split, const OpenOptions& options) {
  if (data == "digits") {
    const int64_t size = split == Split::kTrain ? kDigitsTrainSize : kDigitsTestSize;
    return MakeDigits(split, options.limit > 0 ? std::min(options.limit, size) : size);
  }
  if (!FileExists(data)) return NoSuchData(data);
  if (!IsDirectory(data) && !data.ends_with(".npz")) {
    return NotFound(
        StrCat(data, ": is a file, expected 'digits', an .npz file or a directory of ", kFormats));
  }
  QAT_ASSIGN_OR_RETURN(Dataset dataset,
                       IsDirectory(data) ? OpenDirectory(data, split, options) : OpenNpz(data, split));
  dataset.name = data;
  Truncate(dataset, options.limit);
  return dataset;
}

Expected<std::string> Fingerprint(const Dataset& dataset) {
  if (!dataset.fingerprint.empty()) return dataset.fingerprint;
  constexpr int64_t kBatch = 512;
  FingerprintStream stream(dataset.size(), dataset);
  QAT_RETURN_IF_ERROR(ForEachBatch(dataset, kBatch, [&](int64_t, int64_t, std::span<const uint8_t> images) {
    stream.Add(images);
    return Status();
  }));
  if (dataset.targets == 0) return stream.Finish(dataset.labels);
  std::vector<int32_t> bits(dataset.numbers.size());
  std::memcpy(bits.data(), dataset.numbers.data(), bits.size() * sizeof(float));
  return stream.Finish(bits);
}

}  // namespace qat
