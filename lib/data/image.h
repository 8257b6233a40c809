// image.h: pictures as bytes: JPEG, PNG and BMP files decoded, and fitted to the size that a network takes.
#ifndef QAT_DATA_IMAGE_H_
#define QAT_DATA_IMAGE_H_

#include <cstdint>
#include <span>
#include <string>

#include "base/expected.h"
#include "base/file.h"
#include "contract/input_contract.h"

namespace qat {

/// Pixels uint8 [H, W, C], C = 3 (RGB) or 1 (grey).
struct Image {
  int32_t height = 0;
  int32_t width = 0;
  int32_t channels = 0;
  Bytes pixels;
  bool operator==(const Image&) const = default;
};

/// Pictures with more pixels are refused before any of them is decoded.
inline constexpr int64_t kMaxPicturePixels = int64_t{1} << 27;

/// Decodes a JPEG, PNG or BMP file, told apart by its first bytes, whatever its name says.
///   colour  grey pictures become RGB by repetition, RGB ones grey by (19595 R + 38470 G + 7471 B + 2^15) >> 16 (ITU-R
///           BT.601), which leaves equal channels as they are.
///   turned  a JPEG as its EXIF orientation asks, so that the network sees what a viewer shows.
///   dropped alpha, colour profiles, the lower half of 16-bit samples.
/// Requires  channels 1 or 3.
/// Errors    kCorrupt, kUnsupported (CMYK, run-length BMP, …): "SOURCE: …, expected …".
/// Source    pixels are those of libjpeg-turbo's accurate DCT and of libpng, as most programs show them.
Expected<Image> DecodeImage(std::span<const uint8_t> bytes, const std::string& source, int32_t channels);

/// Resizes to [height, width]: bilinear, and where it shrinks, the filter is as much wider, so that every pixel of the picture
/// counts. Rows first, then columns, each rounded to bytes. A picture of that size is returned untouched.
///   crop     its aspect is kept, it covers the size, and its centre is taken;
///   pad      its aspect is kept, all of it is seen, in the middle of zeros (the odd one after it);
///   stretch  its aspect is that of the size.
/// Requires  a picture and a size with no 0.
Image FitImage(Image image, int32_t height, int32_t width, Fit fit = Fit::kCrop);

}  // namespace qat

#endif  // QAT_DATA_IMAGE_H_
