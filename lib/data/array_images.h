// array_images.h: examples of an array file, bytes or real numbers, in the order of axes that a network
// takes.
#ifndef QAT_DATA_ARRAY_IMAGES_H_
#define QAT_DATA_ARRAY_IMAGES_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "base/file.h"
#include "data/dataset.h"
#include "data/npy.h"

namespace qat {

/// Bytes or float32 [count, height, width, channels].
struct ArrayImages {
  int64_t count = 0;
  int32_t height = 0;
  int32_t width = 0;
  int32_t channels = 0;
  Bytes pixels;
  std::string note;  ///< how the shape was understood, where it is not that of the network; else empty
  ValueType values = ValueType::kByte;
  Shape shape = {};  ///< of reals: as the array has it, without the count; empty: [height, width, channels]

  int64_t Size() const;  ///< bytes of one
};

/// uint8 are bytes unless the network takes reals; every other type of numbers becomes float32. Where the
/// network takes one row, 1 x W x C, an array [count, W, C] or [count, W * C] of as many values is that row,
/// and likewise a column; else OpenOptions::layout says what the axes are. Without that [count] and [count,
/// F] are features, 1 x 1 x F; bytes [count, H, W] are pictures, reals [count, T, C] series, 1 x T x C; four
/// axes are pictures.
/// Errors: kCorrupt. Where the network takes bytes, the message for another type has the line that converts
/// this array, with its range; for channels that come first, the transposition; for a value that is not
/// finite, its place.
Expected<ArrayImages> ReadArrayImages(NpyArray array, const std::string& path, const OpenOptions& network);

/// One array for each input. Errors: those of reading; kCorrupt where they hold different numbers of
/// examples.
Expected<std::vector<ArrayImages>> ReadInputArrays(
    const std::vector<std::string>& names,
    const std::function<Expected<NpyArray>(const std::string& name)>& read,
    const std::function<std::string(const std::string& name)>& path_of, const OpenOptions& network);

/// Sizes and types of examples that have one of each, with the names of several inputs.
std::vector<ExampleInput> InputsOf(std::span<const ArrayImages> images, const OpenOptions& network);

/// Their bytes, one input of an example after the other.
Bytes PackedInputs(std::vector<ArrayImages> images);

/// A data set without labels.
Dataset Unlabelled(std::vector<ArrayImages> images, const OpenOptions& network, const std::string& name,
                   const std::string& note);

}  // namespace qat

#endif  // QAT_DATA_ARRAY_IMAGES_H_
