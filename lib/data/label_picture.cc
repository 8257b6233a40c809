#include "data/label_picture.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/file.h"
#include "base/file_kind.h"
#include "base/strings.h"
#include "data/fit_geometry.h"
#include "data/image_codecs.h"

namespace qat {
namespace {

constexpr std::string_view kWayOut =
    "expected one number per pixel, as a PNG of greys or of a palette holds it";

// Of colours only those that are greys.
template <class Sample>
Expected<LabelPicture> LabelsOf(const ImageOf<Sample>& image) {
  LabelPicture picture = {image.height, image.width, {}};
  const auto channels = static_cast<size_t>(image.channels);
  picture.labels.reserve(image.pixels.size() / channels);
  for (size_t i = 0; i < image.pixels.size(); i += channels) {
    const Sample first = image.pixels[i];
    for (size_t c = 1; c < channels; ++c) {
      if (image.pixels[i + c] == first) continue;
      const auto pixel = static_cast<int64_t>(i / channels);
      return Unsupported(StrCat("has the colour ", int{first}, ", ", int{image.pixels[i + 1]}, ", ",
                                int{image.pixels[i + 2]}, " at row ", pixel / image.width, ", column ",
                                pixel % image.width, ", ", kWayOut));
    }
    picture.labels.push_back(first);
  }
  return picture;
}

Expected<LabelPicture> Decode(std::span<const uint8_t> bytes) {
  const std::string kind = DescribeKind(bytes);
  if (kind.find("JPEG") != std::string::npos)
    return Unsupported(StrCat("is a JPEG, whose compression changes labels, ", kWayOut));
  if (bytes.size() > 1 && bytes[0] == 'B' && bytes[1] == 'M') {
    QAT_ASSIGN_OR_RETURN(const Image image, DecodeBmp(bytes));
    return LabelsOf(image);
  }
  if (kind.find("PNG") == std::string::npos) return Corrupt(StrCat("is ", kind, ", ", kWayOut));
  QAT_ASSIGN_OR_RETURN(const AnyImage image, DecodePngNumbers(bytes));
  return std::visit([](const auto& own) { return LabelsOf(own); }, image);
}

// Of each place of the result, the place of the picture; -1: padding.
std::vector<int32_t> Places(const FittedAxis& axis, int32_t own, int32_t size) {
  std::vector<int32_t> places(static_cast<size_t>(size), -1);
  for (int32_t i = 0; i < axis.out; ++i) {
    const auto centre = static_cast<int32_t>(std::floor(axis.begin + (i + 0.5) * axis.step));
    places[static_cast<size_t>(axis.at + i)] = std::clamp(centre, 0, own - 1);
  }
  return places;
}

}  // namespace

Expected<LabelPicture> DecodeLabelPicture(std::span<const uint8_t> bytes, const std::string& source) {
  QAT_ASSIGN_OR_RETURN_IN(source, LabelPicture picture, Decode(bytes));
  return picture;
}

Expected<LabelPicture> ReadLabelPicture(const std::string& path) {
  QAT_ASSIGN_OR_RETURN(const Bytes bytes, ReadFile(path));
  return DecodeLabelPicture(bytes, path);
}

LabelPicture FitLabels(const LabelPicture& picture, int32_t height, int32_t width, Fit fit) {
  QAT_CHECK(picture.height > 0 && picture.width > 0 && height > 0 && width > 0);
  const FitGeometry geometry = GeometryOf(picture.height, picture.width, height, width, fit);
  const std::vector<int32_t> rows = Places(geometry.rows, picture.height, height);
  const std::vector<int32_t> columns = Places(geometry.columns, picture.width, width);
  LabelPicture fitted = {height, width, {}};
  fitted.labels.reserve(rows.size() * columns.size());
  for (const int32_t row : rows) {
    for (const int32_t column : columns) {
      const bool padded = row < 0 || column < 0;
      fitted.labels.push_back(
          padded ? kPaddedLabel
                 : picture.labels[static_cast<size_t>(row) * static_cast<size_t>(picture.width) +
                                  static_cast<size_t>(column)]);
    }
  }
  return fitted;
}

}  // namespace qat
