#include "data/image.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "base/check.h"
#include "base/file_kind.h"
#include "base/strings.h"
#include "data/fit_geometry.h"
#include "data/image_codecs.h"

namespace qat {
namespace {

bool StartsWith(std::span<const uint8_t> bytes, std::initializer_list<uint8_t> magic) {
  return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
}

constexpr std::initializer_list<uint8_t> kPng = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

Expected<AnyImage> DecodeSamples(std::span<const uint8_t> bytes) {
  const auto any = [](Expected<Image> image) -> Expected<AnyImage> {
    if (!image.ok()) return std::move(image).error();
    return AnyImage(*std::move(image));
  };
  if (StartsWith(bytes, {0xff, 0xd8, 0xff})) return any(DecodeJpeg(bytes));
  if (StartsWith(bytes, kPng)) return DecodePng(bytes);
  if (StartsWith(bytes, {'B', 'M'})) return any(DecodeBmp(bytes));
  return Corrupt(StrCat("is ", DescribeKind(bytes), ", expected a JPEG, PNG or BMP picture"));
}

template <class Sample>
void ToGrey(ImageOf<Sample>& image) {
  const size_t pixels = image.pixels.size() / 3;
  for (size_t i = 0; i < pixels; ++i) {
    const Sample* rgb = &image.pixels[3 * i];
    image.pixels[i] =
        static_cast<Sample>((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 0x8000u) >> 16);
  }
  image.pixels.resize(pixels);
  image.channels = 1;
}

// In place, from the end.
template <class Sample>
void ToRgb(ImageOf<Sample>& image) {
  const size_t pixels = image.pixels.size();
  image.pixels.resize(3 * pixels);
  for (size_t i = pixels; i-- > 0;) std::fill_n(&image.pixels[3 * i], 3, Sample{image.pixels[i]});
  image.channels = 3;
}

template <class Sample>
void GiveChannels(int32_t channels, ImageOf<Sample>& image) {
  if (image.channels == channels) return;
  channels == 1 ? ToGrey(image) : ToRgb(image);
}

// The weights of one output position: of the inputs first, first + 1, …
struct Taps {
  int32_t first = 0;
  std::vector<float> weights;
};

// Triangles around the centres of the parts.
std::vector<Taps> BilinearTaps(int32_t in, const FittedAxis& axis) {
  const double radius = std::max(axis.step, 1.0);
  std::vector<Taps> taps(static_cast<size_t>(axis.out));
  for (int32_t i = 0; i < axis.out; ++i) {
    const double centre = axis.begin + (i + 0.5) * axis.step;
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

// A sum of weighted samples as one.
template <class Sample>
Sample SampleFrom(float sum) {
  if constexpr (std::is_same_v<Sample, uint8_t>)
    return static_cast<uint8_t>(std::clamp(sum + 0.5f, 0.0f, 255.0f));
  return sum;
}

template <class To, class From>
ImageOf<To> ResampleColumns(const ImageOf<From>& image, const std::vector<Taps>& taps) {
  ImageOf<To> out{image.height, static_cast<int32_t>(taps.size()), image.channels, {}};
  out.pixels.reserve(static_cast<size_t>(out.height) * taps.size() * static_cast<size_t>(out.channels));
  const auto channels = static_cast<size_t>(image.channels);
  for (int32_t y = 0; y < image.height; ++y) {
    const From* row = &image.pixels[static_cast<size_t>(y) * static_cast<size_t>(image.width) * channels];
    for (const Taps& tap : taps) {
      for (size_t c = 0; c < channels; ++c) {
        const From* from = row + static_cast<size_t>(tap.first) * channels + c;
        float sum = 0;
        for (size_t i = 0; i < tap.weights.size(); ++i) sum += tap.weights[i] * from[i * channels];
        out.pixels.push_back(SampleFrom<To>(sum));
      }
    }
  }
  return out;
}

template <class Sample>
ImageOf<Sample> ResampleRows(const ImageOf<Sample>& image, const std::vector<Taps>& taps) {
  ImageOf<Sample> out{static_cast<int32_t>(taps.size()), image.width, image.channels, {}};
  const auto stride = static_cast<size_t>(image.width) * static_cast<size_t>(image.channels);
  out.pixels.reserve(taps.size() * stride);
  std::vector<float> sums(stride);
  for (const Taps& tap : taps) {
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (size_t i = 0; i < tap.weights.size(); ++i) {
      const Sample* row = &image.pixels[(static_cast<size_t>(tap.first) + i) * stride];
      for (size_t x = 0; x < stride; ++x) sums[x] += tap.weights[i] * row[x];
    }
    for (const float sum : sums) out.pixels.push_back(SampleFrom<Sample>(sum));
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

template <class To, class From>
ImageOf<To> Resampled(const ImageOf<From>& image, const FitGeometry& geometry) {
  if (image.height == geometry.rows.out && image.width == geometry.columns.out)
    return {image.height, image.width, image.channels, {image.pixels.begin(), image.pixels.end()}};
  return ResampleRows(ResampleColumns<To>(image, BilinearTaps(image.width, geometry.columns)),
                      BilinearTaps(image.height, geometry.rows));
}

// In zeros. Requires  a picture that fits there.
template <class Sample>
ImageOf<Sample> PlacedAt(int32_t top, int32_t left, const ImageOf<Sample>& image, int32_t height,
                         int32_t width) {
  ImageOf<Sample> out{height, width, image.channels, {}};
  const auto row = static_cast<size_t>(image.width) * static_cast<size_t>(image.channels);
  out.pixels.resize(static_cast<size_t>(height) * static_cast<size_t>(width) *
                    static_cast<size_t>(image.channels));
  for (int32_t y = 0; y < image.height; ++y) {
    const size_t to =
        (static_cast<size_t>(top + y) * static_cast<size_t>(width) + static_cast<size_t>(left)) *
        static_cast<size_t>(image.channels);
    std::copy_n(image.pixels.begin() + static_cast<ptrdiff_t>(static_cast<size_t>(y) * row), row,
                out.pixels.begin() + static_cast<ptrdiff_t>(to));
  }
  return out;
}

template <class To, class From>
ImageOf<To> Fitted(const ImageOf<From>& image, int32_t height, int32_t width, Fit fit) {
  QAT_CHECK(image.height > 0 && image.width > 0 && height > 0 && width > 0);
  const FitGeometry geometry = GeometryOf(image.height, image.width, height, width, fit);
  ImageOf<To> fitted = Resampled<To>(image, geometry);
  if (fitted.height == height && fitted.width == width) return fitted;
  return PlacedAt(geometry.rows.at, geometry.columns.at, fitted, height, width);
}

}  // namespace

Expected<AnyImage> DecodeAnyImage(std::span<const uint8_t> bytes, const std::string& source,
                                  int32_t channels) {
  QAT_CHECK(channels == 1 || channels == 3);
  QAT_ASSIGN_OR_RETURN_IN(source, AnyImage image, DecodeSamples(bytes));
  std::visit([channels](auto& own) { GiveChannels(channels, own); }, image);
  return image;
}

Expected<Image> DecodeImage(std::span<const uint8_t> bytes, const std::string& source, int32_t channels) {
  QAT_ASSIGN_OR_RETURN(AnyImage image, DecodeAnyImage(bytes, source, channels));
  if (const auto* deep = std::get_if<DeepImage>(&image)) return Reduced(*deep);
  return std::get<Image>(std::move(image));
}

bool IsDeepPicture(std::span<const uint8_t> bytes) {
  // The first chunk is the header: length, IHDR, width, height, bits per sample.
  return bytes.size() >= kPictureHeader && StartsWith(bytes, kPng) && bytes[kPictureHeader - 1] == 16;
}

Image Reduced(const DeepImage& image) {
  Image bytes{image.height, image.width, image.channels, {}};
  bytes.pixels.reserve(image.pixels.size());
  for (const uint16_t sample : image.pixels)
    bytes.pixels.push_back(static_cast<uint8_t>((sample + 128u) / 257u));
  return bytes;
}

DeepImage Widened(const Image& image) {
  DeepImage deep{image.height, image.width, image.channels, {}};
  deep.pixels.reserve(image.pixels.size());
  for (const uint8_t byte : image.pixels) deep.pixels.push_back(static_cast<uint16_t>(byte * 257));
  return deep;
}

Image FitImage(Image image, int32_t height, int32_t width, Fit fit) {
  if (image.height == height && image.width == width) return image;
  return Fitted<uint8_t>(image, height, width, fit);
}

RealImage FitDeepImage(const DeepImage& image, int32_t height, int32_t width, Fit fit) {
  return Fitted<float>(image, height, width, fit);
}

}  // namespace qat
