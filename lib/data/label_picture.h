// label_picture.h: pictures whose samples are labels, one per pixel: decoded as they are stored, and fitted
// as the picture they belong to.
#ifndef QAT_DATA_LABEL_PICTURE_H_
#define QAT_DATA_LABEL_PICTURE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/expected.h"
#include "contract/input_contract.h"

namespace qat {

/// Where padding lies, which has no label.
inline constexpr int32_t kPaddedLabel = -1;

/// Stored labels [height, width], or kPaddedLabel.
struct LabelPicture {
  int32_t height = 0;
  int32_t width = 0;
  std::vector<int32_t> labels;
};

/// A PNG's samples as numbers: of a palette the index, of greys of 1 to 16 bits the sample as stored; alpha
/// is dropped. Colours, of a PNG or BMP, only where red, green and blue are equal everywhere.
/// Errors: kCorrupt, kUnsupported (a JPEG, whose compression changes labels; colours): "SOURCE: …, expected
/// …".
Expected<LabelPicture> DecodeLabelPicture(std::span<const uint8_t> bytes, const std::string& source);
Expected<LabelPicture> ReadLabelPicture(const std::string& path);

/// As FitImage (image.h) resizes, crops or pads a picture, each place with the label that lies at its centre;
/// padding has none.
/// Requires  a picture and a size with no 0.
LabelPicture FitLabels(const LabelPicture& picture, int32_t height, int32_t width, Fit fit);

}  // namespace qat

#endif  // QAT_DATA_LABEL_PICTURE_H_
