// image.h: pictures as samples: JPEG, PNG and BMP files decoded, and fitted to the size that a network takes.
#ifndef QAT_DATA_IMAGE_H_
#define QAT_DATA_IMAGE_H_

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/expected.h"
#include "base/file.h"
#include "contract/input_contract.h"

namespace qat {

/// Samples [H, W, C], C = 3 (RGB) or 1 (grey).
template <class Sample>
struct ImageOf {
  int32_t height = 0;
  int32_t width = 0;
  int32_t channels = 0;
  std::vector<Sample> pixels;
  bool operator==(const ImageOf&) const = default;
};
using Image = ImageOf<uint8_t>;
using DeepImage = ImageOf<uint16_t>;
using RealImage = ImageOf<float>;

/// As the file has it.
using AnyImage = std::variant<Image, DeepImage>;

/// Pictures with more pixels are refused before any of them is decoded.
inline constexpr int64_t kMaxPicturePixels = int64_t{1} << 27;

/// Decodes a JPEG, PNG or BMP file, told apart by its first bytes, whatever its name says. Samples are those
/// of the file: a DeepImage where a PNG has 16 bits in each, else bytes.
///   colour  grey pictures become RGB by repetition, RGB ones grey by
///           (19595 R + 38470 G + 7471 B + 2^15) >> 16 (ITU-R BT.601), which leaves equal channels as
///           they are.
///   turned  a JPEG as its EXIF orientation asks, so that the network sees what a viewer shows.
///   dropped alpha, colour profiles, gamma.
/// Requires  channels 1 or 3.
/// Errors    kCorrupt, kUnsupported (CMYK, run-length BMP, …): "SOURCE: …, expected …".
/// Source    pixels are those of libjpeg-turbo's accurate DCT and of libpng, as most programs show them.
Expected<AnyImage> DecodeAnyImage(std::span<const uint8_t> bytes, const std::string& source,
                                  int32_t channels);

/// The same as bytes, whatever the file has.
Expected<Image> DecodeImage(std::span<const uint8_t> bytes, const std::string& source, int32_t channels);

/// Whether these first bytes of a file, at least kPictureHeader of them, are of a PNG with 16 bits per
/// sample.
bool IsDeepPicture(std::span<const uint8_t> bytes);
inline constexpr size_t kPictureHeader = 25;

/// Rounded to bytes: white stays white.
Image Reduced(const DeepImage& image);

/// Bytes times 257: white stays white.
DeepImage Widened(const Image& image);

/// Resizes to [height, width]: bilinear, and where it shrinks, the filter is as much wider, so that every
/// pixel of the picture counts. Rows first, then columns, bytes rounded after each. A picture of that size is
/// returned untouched.
///   crop     its aspect is kept, it covers the size, and its centre is taken;
///   pad      its aspect is kept, all of it is seen, in the middle of zeros (the odd one after it);
///   stretch  its aspect is that of the size.
/// Requires  a picture and a size with no 0.
Image FitImage(Image image, int32_t height, int32_t width, Fit fit = Fit::kCrop);

/// The same as real numbers, 0 to 65535, which are not rounded.
RealImage FitDeepImage(const DeepImage& image, int32_t height, int32_t width, Fit fit = Fit::kCrop);

}  // namespace qat

#endif  // QAT_DATA_IMAGE_H_
