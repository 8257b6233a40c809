// PNG files of every kind that the format knows, written by hand: what they hold is what is decoded.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <tuple>

#include "base/random.h"
#include "data/image.h"
#include "support/png_file.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::PngColour;
using testing::PngFile;

PngFile RandomFile(PngColour colour, int bits, bool interlaced) {
  Random random(static_cast<uint64_t>(bits) * 16 + static_cast<uint64_t>(colour));
  PngFile file{13, 11, bits, colour, interlaced, {}};
  const size_t count = size_t{file.height} * file.width * testing::SamplesPerPixel(colour);
  for (size_t i = 0; i < count; ++i) file.samples.push_back(static_cast<uint16_t>(random.Below(1u << bits)));
  if (colour == PngColour::kPalette) {
    Bytes palette;
    for (size_t i = 0; i < size_t{3} << bits; ++i) palette.push_back(static_cast<uint8_t>(random.Below(256)));
    file.chunks.push_back({"PLTE", palette});
  }
  return file;
}

// One colour or index that is transparent.
void MakeTransparent(PngFile& file) {
  Bytes place;
  if (file.colour == PngColour::kPalette) {
    place = {0, 100};
  } else {
    for (size_t c = 0; c < testing::SamplesPerPixel(file.colour); ++c)
      place.insert(place.end(),
                   {static_cast<uint8_t>(file.samples[c] >> 8), static_cast<uint8_t>(file.samples[c])});
  }
  file.chunks.push_back({"tRNS", place});
}

// The RGB samples of a pixel, scaled to 8 bits where it has fewer.
std::vector<uint16_t> RgbOf(const PngFile& file, size_t pixel) {
  const uint16_t* samples = &file.samples[pixel * testing::SamplesPerPixel(file.colour)];
  if (file.colour == PngColour::kPalette) {
    const uint8_t* colour = &file.chunks.front().data[size_t{3} * samples[0]];
    return {colour[0], colour[1], colour[2]};
  }
  if (file.colour == PngColour::kRgb || file.colour == PngColour::kRgba)
    return {samples[0], samples[1], samples[2]};
  const auto grey =
      static_cast<uint16_t>(file.bits >= 8 ? samples[0] : samples[0] * 255 / ((1 << file.bits) - 1));
  return {grey, grey, grey};
}

std::vector<uint16_t> PixelsOf(const PngFile& file) {
  std::vector<uint16_t> pixels;
  for (size_t i = 0; i < size_t{file.height} * file.width; ++i) {
    const std::vector<uint16_t> rgb = RgbOf(file, i);
    pixels.insert(pixels.end(), rgb.begin(), rgb.end());
  }
  return pixels;
}

std::vector<uint16_t> PixelsOf(const AnyImage& image) {
  return std::visit(
      [](const auto& own) { return std::vector<uint16_t>(own.pixels.begin(), own.pixels.end()); }, image);
}

class Png : public ::testing::TestWithParam<std::tuple<PngColour, int, bool>> {
 protected:
  PngFile File() const {
    const auto [colour, bits, interlaced] = GetParam();
    return RandomFile(colour, bits, interlaced);
  }
};

TEST_P(Png, IsDecodedToTheSamplesThatItHolds) {
  const PngFile file = File();
  const Bytes encoded = Encoded(file);
  const auto image = DecodeAnyImage(encoded, "a.png", 3);
  QAT_ASSERT_OK(image);
  EXPECT_EQ(PixelsOf(*image), PixelsOf(file));
  EXPECT_EQ(std::holds_alternative<DeepImage>(*image), file.bits == 16);
  EXPECT_EQ(IsDeepPicture(std::span(encoded).first(kPictureHeader)), file.bits == 16);
}

TEST_P(Png, BecomesGreyByBt601) {
  const PngFile file = File();
  const auto image = DecodeAnyImage(Encoded(file), "a.png", 1);
  QAT_ASSERT_OK(image);
  const std::vector<uint16_t> pixels = PixelsOf(file), grey = PixelsOf(*image);
  ASSERT_EQ(grey.size(), pixels.size() / 3);
  for (size_t i = 0; i < grey.size(); ++i)
    EXPECT_EQ(grey[i], (19595 * int64_t{pixels[3 * i]} + 38470 * int64_t{pixels[3 * i + 1]} +
                        7471 * int64_t{pixels[3 * i + 2]} + 32768) /
                           65536);
}

// Neither is about the samples.
TEST_P(Png, LosesTransparencyAndGammaWithoutATrace) {
  PngFile file = File();
  if (file.colour != PngColour::kGreyAlpha && file.colour != PngColour::kRgba) MakeTransparent(file);
  file.chunks.insert(file.chunks.begin(), {"gAMA", {0, 1, 0x86, 0xa0}});  // 1.0: light as it is
  const auto image = DecodeAnyImage(Encoded(file), "a.png", 3);
  QAT_ASSERT_OK(image);
  EXPECT_EQ(PixelsOf(*image), PixelsOf(File()));
}

TEST_P(Png, IsRoundedWhereBytesAreAskedFor) {
  const auto image = DecodeImage(Encoded(File()), "a.png", 3);
  QAT_ASSERT_OK(image);
  const std::vector<uint16_t> pixels = PixelsOf(File());
  const int bits = std::get<1>(GetParam());
  for (size_t i = 0; i < pixels.size(); ++i)
    EXPECT_EQ(image->pixels[i], bits == 16 ? std::lround(pixels[i] / 257.0) : pixels[i]);
}

TEST_P(Png, IsRefusedWhereverItIsCutOffBeforeItsLastRow) {
  const Bytes whole = Encoded(File());
  const size_t behind = 4 + 4 + 4 + 12;  // checksums of rows and chunk, and IEND
  for (size_t size = 8; size < whole.size() - behind; ++size)
    QAT_EXPECT_ERROR(DecodeAnyImage(std::span(whole).first(size), "a.png", 3), ErrorCode::kCorrupt,
                     "a.png: is a damaged PNG picture (its end is missing)");
}

INSTANTIATE_TEST_SUITE_P(Kinds, Png,
                         ::testing::Combine(::testing::Values(PngColour::kGrey, PngColour::kRgb,
                                                              PngColour::kGreyAlpha, PngColour::kRgba),
                                            ::testing::Values(8, 16), ::testing::Bool()));
INSTANTIATE_TEST_SUITE_P(Greys, Png,
                         ::testing::Combine(::testing::Values(PngColour::kGrey), ::testing::Values(1, 2, 4),
                                            ::testing::Bool()));
INSTANTIATE_TEST_SUITE_P(Palettes, Png,
                         ::testing::Combine(::testing::Values(PngColour::kPalette),
                                            ::testing::Values(1, 2, 4, 8), ::testing::Bool()));

// Every byte in turn set to several values, with checksums that fit: an error or a picture, never a crash
// (the sanitizers watch).
TEST(DecodePng, SurvivesDamageAnywhere) {
  for (const bool interlaced : {false, true}) {
    const Bytes whole = Encoded(RandomFile(PngColour::kRgba, 16, interlaced));
    for (size_t i = 8; i < whole.size(); ++i) {
      for (const uint8_t value : {0x00, 0x01, 0x10, 0xff}) {
        Bytes damaged = whole;
        damaged[i] = value;
        if (i >= 16 && i < 29) {
          Bytes sum;
          testing::png::Append32(testing::png::Checksum(std::span(damaged).subspan(12, 17)), sum);
          std::copy(sum.begin(), sum.end(), damaged.begin() + 29);
        }
        const auto image = DecodeAnyImage(damaged, "a.png", 3);
        if (image.ok()) {
          EXPECT_GE(PixelsOf(*image).size(), 3u);
        }
      }
    }
  }
}

TEST(DecodePng, RefusesSizesBeyondTheLimitBeforeItDecodes) {
  PngFile file{1, 1, 16, PngColour::kRgb, true, {1, 2, 3}};
  Bytes png = Encoded(file);
  png[18] = png[22] = 0x80;  // 32,769 x 32,769
  Bytes sum;
  testing::png::Append32(testing::png::Checksum(std::span(png).subspan(12, 17)), sum);
  std::copy(sum.begin(), sum.end(), png.begin() + 29);
  QAT_EXPECT_ERROR(DecodeAnyImage(png, "huge.png", 1), ErrorCode::kCorrupt,
                   "huge.png: is 32769x32769 pixels, expected sides");
}

TEST(Widened, KeepsBlackAndWhiteAndComesBack) {
  Image image{1, 256, 1, {}};
  for (int i = 0; i < 256; ++i) image.pixels.push_back(static_cast<uint8_t>(i));
  const DeepImage deep = Widened(image);
  EXPECT_EQ(deep.pixels.front(), 0);
  EXPECT_EQ(deep.pixels[1], 257);
  EXPECT_EQ(deep.pixels.back(), 65535);
  EXPECT_EQ(Reduced(deep), image);
}

}  // namespace
}  // namespace qat
