// image_codecs.h: one decoder per picture format; DecodeAnyImage chooses. Messages carry no file name.
#ifndef QAT_DATA_IMAGE_CODECS_H_
#define QAT_DATA_IMAGE_CODECS_H_

#include "data/image.h"

namespace qat {

/// To RGB. Errors of all: kCorrupt, kUnsupported, kSystem.
Expected<Image> DecodeJpeg(std::span<const uint8_t> bytes);
/// To RGB or grey, as the file is.
Expected<AnyImage> DecodePng(std::span<const uint8_t> bytes);
/// Samples as they are stored, a palette's as its indices; one channel, or three of a PNG of colours.
Expected<AnyImage> DecodePngNumbers(std::span<const uint8_t> bytes);
/// To RGB. Uncompressed, 1, 4, 8, 24 or 32 bits per pixel, either row order.
Expected<Image> DecodeBmp(std::span<const uint8_t> bytes);

/// Sizes in [1, 2^16] whose product is at most kMaxPicturePixels. Errors: kCorrupt.
Status CheckPictureSize(int64_t height, int64_t width);

}  // namespace qat

#endif  // QAT_DATA_IMAGE_CODECS_H_
