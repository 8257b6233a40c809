#include "data/image.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/check.h"
#include "base/file_kind.h"
#include "base/strings.h"
#include "data/image_codecs.h"

namespace qat {
namespace {

bool StartsWith(std::span<const uint8_t> bytes, std::initializer_list<uint8_t> magic) {
  return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
}

Expected<Image> DecodeRgb(std::span<const uint8_t> bytes) {
  if (StartsWith(bytes, {0xff, 0xd8, 0xff})) return DecodeJpeg(bytes);
  if (StartsWith(bytes, {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'})) return DecodePng(bytes);
  if (StartsWith(bytes, {'B', 'M'})) return DecodeBmp(bytes);
  return Corrupt(StrCat("is ", DescribeKind(bytes), ", expected a JPEG, PNG or BMP picture"));
}

void ToGrey(Image& image) {
  const size_t pixels = image.pixels.size() / 3;
  for (size_t i = 0; i < pixels; ++i) {
    const uint8_t* rgb = &image.pixels[3 * i];
    image.pixels[i] =
        static_cast<uint8_t>((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 0x8000u) >> 16);
  }
  image.pixels.resize(pixels);
  image.channels = 1;
}

// The weights of one output position: of the inputs first, first + 1, …
struct Taps {
  int32_t first = 0;
  std::vector<float> weights;
};

// Triangles around the centres of `out` equal parts of [begin, begin + out * step).
std::vector<Taps> BilinearTaps(int32_t in, int32_t out, double begin, double step) {
  const double radius = std::max(step, 1.0);
  std::vector<Taps> taps(static_cast<size_t>(out));
  for (int32_t i = 0; i < out; ++i) {
    const double centre = begin + (i + 0.5) * step;
    const auto first = std::max(0, static_cast<int32_t>(std::floor(centre - radius + 0.5)));
    const auto end = std::min(in, static_cast<int32_t>(std::floor(centre + radius + 0.5)));
    std::vector<double> weights;
    double sum = 0;
    for (int32_t at = first; at < end; ++at) {
      weights.push_back(std::max(0.0, 1 - std::abs(at + 0.5 - centre) / radius));
      sum += weights.back();
    }
    Taps& own = taps[static_cast<size_t>(i)];
    own.first = first;
    for (const double weight : weights) own.weights.push_back(static_cast<float>(weight / sum));
  }
  return taps;
}

uint8_t ToByte(float value) { return static_cast<uint8_t>(std::clamp(value + 0.5f, 0.0f, 255.0f)); }

Image ResampleColumns(const Image& image, const std::vector<Taps>& taps) {
  Image out{image.height, static_cast<int32_t>(taps.size()), image.channels, {}};
  out.pixels.reserve(static_cast<size_t>(out.height) * taps.size() * static_cast<size_t>(out.channels));
  const auto channels = static_cast<size_t>(image.channels);
  for (int32_t y = 0; y < image.height; ++y) {
    const uint8_t* row = &image.pixels[static_cast<size_t>(y) * static_cast<size_t>(image.width) * channels];
    for (const Taps& tap : taps) {
      for (size_t c = 0; c < channels; ++c) {
        const uint8_t* from = row + static_cast<size_t>(tap.first) * channels + c;
        float sum = 0;
        for (size_t i = 0; i < tap.weights.size(); ++i) sum += tap.weights[i] * from[i * channels];
        out.pixels.push_back(ToByte(sum));
      }
    }
  }
  return out;
}

Image ResampleRows(const Image& image, const std::vector<Taps>& taps) {
  Image out{static_cast<int32_t>(taps.size()), image.width, image.channels, {}};
  const auto stride = static_cast<size_t>(image.width) * static_cast<size_t>(image.channels);
  out.pixels.reserve(taps.size() * stride);
  std::vector<float> sums(stride);
  for (const Taps& tap : taps) {
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (size_t i = 0; i < tap.weights.size(); ++i) {
      const uint8_t* row = &image.pixels[(static_cast<size_t>(tap.first) + i) * stride];
      for (size_t x = 0; x < stride; ++x) sums[x] += tap.weights[i] * row[x];
    }
    for (const float sum : sums) out.pixels.push_back(ToByte(sum));
  }
  return out;
}

}  // namespace

Status CheckPictureSize(int64_t height, int64_t width) {
  constexpr int64_t kMaxSide = int64_t{1} << 16;
  if (height < 1 || width < 1 || height > kMaxSide || width > kMaxSide ||
      height * width > kMaxPicturePixels) {
    return Corrupt(StrCat("is ", width, "x", height, " pixels, expected sides from 1 to ", kMaxSide,
                          " and at most ", kMaxPicturePixels, " pixels"));
  }
  return {};
}

namespace {

// Each axis by itself.
Image Stretched(const Image& image, int32_t height, int32_t width) {
  if (image.height == height && image.width == width) return image;
  const auto columns = BilinearTaps(image.width, width, 0, double(image.width) / width);
  const auto rows = BilinearTaps(image.height, height, 0, double(image.height) / height);
  return ResampleRows(ResampleColumns(image, columns), rows);
}

// In the middle of zeros. Requires  a picture that is no larger.
Image Centred(const Image& image, int32_t height, int32_t width) {
  Image out{height, width, image.channels, {}};
  const auto row = static_cast<size_t>(image.width) * static_cast<size_t>(image.channels);
  out.pixels.resize(static_cast<size_t>(height) * static_cast<size_t>(width) * static_cast<size_t>(image.channels));
  const int32_t top = (height - image.height) / 2, left = (width - image.width) / 2;
  for (int32_t y = 0; y < image.height; ++y) {
    const size_t to = (static_cast<size_t>(top + y) * static_cast<size_t>(width) + static_cast<size_t>(left)) *
                      static_cast<size_t>(image.channels);
    std::copy_n(image.pixels.begin() + static_cast<ptrdiff_t>(static_cast<size_t>(y) * row), row,
                out.pixels.begin() + static_cast<ptrdiff_t>(to));
  }
  return out;
}

}  // namespace

Expected<Image> DecodeImage(std::span<const uint8_t> bytes, const std::string& source, int32_t channels) {
  QAT_CHECK(channels == 1 || channels == 3);
  QAT_ASSIGN_OR_RETURN_IN(source, Image image, DecodeRgb(bytes));
  if (channels == 1) ToGrey(image);
  return image;
}

Image FitImage(Image image, int32_t height, int32_t width, Fit fit) {
  QAT_CHECK(image.height > 0 && image.width > 0 && height > 0 && width > 0);
  if (image.height == height && image.width == width) return image;
  if (fit == Fit::kStretch) return Stretched(image, height, width);
  if (fit == Fit::kPad) {
    const double all = std::max(double(image.height) / height, double(image.width) / width);
    const auto size = [all](int32_t own, int32_t most) {
      return std::clamp(static_cast<int32_t>(std::lround(own / all)), 1, most);
    };
    return Centred(Stretched(image, size(image.height, height), size(image.width, width)), height, width);
  }
  const double step = std::min(double(image.height) / height, double(image.width) / width);
  const auto columns = BilinearTaps(image.width, width, (image.width - width * step) / 2, step);
  const auto rows = BilinearTaps(image.height, height, (image.height - height * step) / 2, step);
  return ResampleRows(ResampleColumns(image, columns), rows);
}

}  // namespace qat
