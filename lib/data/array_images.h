// array_images.h: images of an array file: bytes, in the order of axes that a network takes.
#ifndef QAT_DATA_ARRAY_IMAGES_H_
#define QAT_DATA_ARRAY_IMAGES_H_

#include <cstdint>
#include <string>

#include "base/expected.h"
#include "base/file.h"
#include "data/dataset.h"
#include "data/npy.h"

namespace qat {

/// uint8 [count, height, width, channels].
struct ArrayImages {
  int64_t count = 0;
  int32_t height = 0;
  int32_t width = 0;
  int32_t channels = 0;
  Bytes pixels;
  std::string note;  ///< how the shape was understood, where it is not that of the network; else empty
};

/// Takes [count, H, W] and [count, H, W, C]. Where the network takes one row, 1 x W x C, an array [count, W, C] or [count, W * C]
/// of as many values is that row.
/// Errors: kCorrupt. The message for another type has the line that converts this array, with its range; for channels that come
/// first, the transposition.
Expected<ArrayImages> ReadArrayImages(NpyArray array, const std::string& path, const OpenOptions& network);

/// A data set of images without labels.
Dataset Unlabelled(const ArrayImages& images, const std::string& name, const std::string& note);

}  // namespace qat

#endif  // QAT_DATA_ARRAY_IMAGES_H_
