// dataset.h: labelled images as raw bytes, whatever file they came from.
#ifndef QAT_DATA_DATASET_H_
#define QAT_DATA_DATASET_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "base/file.h"

namespace qat {

enum class Split { kTrain, kTest };

/// Images uint8 [count, H, W, C], labels [count] in [0, classes).
struct Dataset {
  std::string name;  ///< "digits", or the path as given
  int32_t height = 0;
  int32_t width = 0;
  int32_t channels = 0;
  std::vector<std::string> class_names;
  Bytes images;
  std::vector<int32_t> labels;

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
  int64_t ImageSize() const { return int64_t{height} * width * channels; }
  std::span<const uint8_t> Image(int64_t index) const {
    return std::span(images).subspan(static_cast<size_t>(index * ImageSize()),
                                     static_cast<size_t>(ImageSize()));
  }
  std::span<const uint8_t> Images(int64_t first, int64_t count) const {
    return std::span(images).subspan(static_cast<size_t>(first * ImageSize()),
                                     static_cast<size_t>(count * ImageSize()));
  }
};

/// "digits" (generated, nothing is read) or a path whose format is detected from what lies there: a directory of IDX files
/// (MNIST's names, plain or gzip). `limit` > 0 keeps the first so many examples.
/// Errors: kNotFound, kCorrupt: path, place, value, what was expected.
Expected<Dataset> OpenDataset(const std::string& data, Split split, int64_t limit = 0);

/// SHA-256 over sizes, images and labels: the identity of what was read, wherever it lies.
std::string Fingerprint(const Dataset& dataset);

}  // namespace qat

#endif  // QAT_DATA_DATASET_H_
