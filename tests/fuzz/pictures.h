// pictures.h: what the targets of the three picture formats share.
#ifndef QAT_TESTS_FUZZ_PICTURES_H_
#define QAT_TESTS_FUZZ_PICTURES_H_

#include <span>

#include "base/check.h"
#include "data/image.h"
#include "data/label_picture.h"

namespace qat::fuzz {

/// Decodes in colour, in grey and as labels; small pictures are made to fit, too.
inline void DecodePicture(std::span<const uint8_t> bytes) {
  for (const int32_t channels : {3, 1}) {
    auto image = DecodeImage(bytes, "picture", channels);
    if (!image.ok()) continue;
    QAT_CHECK(image->channels == channels);
    QAT_CHECK(image->pixels.size() == static_cast<size_t>(image->height) * static_cast<size_t>(image->width) *
                                          static_cast<size_t>(channels));
    if (image->pixels.size() < (1 << 18)) (void)FitImage(*std::move(image), 7, 5, Fit::kCrop);
  }
  const auto labels = DecodeLabelPicture(bytes, "picture");
  if (!labels.ok()) return;
  QAT_CHECK(labels->labels.size() ==
            static_cast<size_t>(labels->height) * static_cast<size_t>(labels->width));
  if (labels->labels.size() < (1 << 18)) (void)FitLabels(*labels, 7, 5, Fit::kPad);
}

}  // namespace qat::fuzz

#endif  // QAT_TESTS_FUZZ_PICTURES_H_
