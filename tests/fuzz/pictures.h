// pictures.h: what the targets of the three picture formats share.
#ifndef QAT_TESTS_FUZZ_PICTURES_H_
#define QAT_TESTS_FUZZ_PICTURES_H_

#include <span>

#include "base/check.h"
#include "data/image.h"

namespace qat::fuzz {

/// Decodes in colour and grey; small pictures are made to fit, too.
inline void DecodePicture(std::span<const uint8_t> bytes) {
  for (const int32_t channels : {3, 1}) {
    auto image = DecodeImage(bytes, "picture", channels);
    if (!image.ok()) continue;
    QAT_CHECK(image->channels == channels);
    QAT_CHECK(image->pixels.size() == static_cast<size_t>(image->height) * static_cast<size_t>(image->width) *
                                          static_cast<size_t>(channels));
    if (image->pixels.size() < (1 << 18)) (void)FitImage(*std::move(image), 7, 5, Fit::kCrop);
  }
}

}  // namespace qat::fuzz

#endif  // QAT_TESTS_FUZZ_PICTURES_H_
