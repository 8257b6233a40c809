#include "data/picture_size.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "base/file.h"
#include "base/strings.h"
#include "data/image.h"

namespace qat {
namespace {

constexpr size_t kLooked = 32;
constexpr int32_t kSmall = 64;   // a side up to which a picture keeps its size
constexpr double kMultiple = 8;  // of sides that are chosen
constexpr double kLongest = 4;   // times the other side; the rest is cropped

template <class Of>
double Median(std::span<const PictureSize> seen, const Of& of) {
  std::vector<double> values;
  for (const PictureSize& each : seen) values.push_back(of(each));
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

template <class Sample>
bool IsGrey(const ImageOf<Sample>& image) {
  for (size_t i = 0; i + 2 < image.pixels.size(); i += 3) {
    if (image.pixels[i] != image.pixels[i + 1] || image.pixels[i] != image.pixels[i + 2]) return false;
  }
  return true;
}

Expected<PictureSize> SizeOf(const std::string& path) {
  QAT_ASSIGN_OR_RETURN(const Bytes bytes, ReadFile(path));
  QAT_ASSIGN_OR_RETURN(const AnyImage image, DecodeAnyImage(bytes, path, 3));
  return std::visit(
      [](const auto& own) {
        return PictureSize{own.height, own.width, IsGrey(own) ? 1 : 3};
      },
      image);
}

}  // namespace

PictureSize FittedSize(std::span<const PictureSize> seen) {
  QAT_CHECK(!seen.empty());
  const double height = Median(seen, [](const PictureSize& each) { return each.height; });
  const double width = Median(seen, [](const PictureSize& each) { return each.width; });
  PictureSize fitted = {static_cast<int32_t>(height), static_cast<int32_t>(width), 1};
  for (const PictureSize& each : seen) fitted.channels = std::max(fitted.channels, each.channels);
  if (std::max(height, width) <= kSmall) return fitted;
  const double median =
      Median(seen, [](const PictureSize& each) { return static_cast<double>(each.width) / each.height; });
  const double aspect = std::clamp(median, 1 / kLongest, kLongest);
  const auto side = [](double wanted) {
    return static_cast<int32_t>(std::round(wanted / kMultiple) * kMultiple);
  };
  fitted.height = side(kSmall / std::sqrt(aspect));
  fitted.width = side(kSmall * std::sqrt(aspect));
  return fitted;
}

Expected<PictureSize> FittedSize(const std::vector<PictureFile>& files) {
  QAT_CHECK(!files.empty());
  std::vector<PictureSize> seen;
  std::string broken;
  const size_t looked = std::min(files.size(), kLooked);
  for (size_t i = 0; i < looked; ++i) {
    auto size = SizeOf(files[i * files.size() / looked].path);
    if (size.ok()) seen.push_back(*size);
    if (!size.ok() && broken.empty()) broken = size.error().message;
  }
  if (seen.empty()) return Corrupt(StrCat("none of ", looked, " pictures can be read; ", broken));
  return FittedSize(seen);
}

}  // namespace qat
