#include "data/image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/png.h"
#include "data/npy.h"
#include "support/places.h"
#include "support/test_util.h"

namespace qat {
namespace {

const std::string kPictures = std::string(testing::kSourceDir) + "/tests/data/pictures/";

Bytes FileOf(const std::string& name) { return *ReadFile(kPictures + name); }

// What Pillow sees; tests/data/make_pictures.py made it.
Bytes PixelsOf(const std::string& name) { return ReadNpy(kPictures + name + ".npy")->values; }

int LargestDifference(const Bytes& a, const Bytes& b) {
  if (a.size() != b.size()) return 256;
  int largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

class Decoded : public ::testing::TestWithParam<const char*> {};

TEST_P(Decoded, EqualsPillowInEveryByte) {
  const auto image = DecodeImage(FileOf(GetParam()), GetParam(), 3);
  QAT_ASSERT_OK(image);
  EXPECT_EQ(image->height, 13);
  EXPECT_EQ(image->width, 17);
  EXPECT_EQ(image->channels, 3);
  EXPECT_EQ(LargestDifference(image->pixels, PixelsOf(GetParam())), 0);
}

// Nothing that was cut off may pass as a whole picture.
TEST_P(Decoded, IsRefusedWhereItsEndIsMissing) {
  const Bytes whole = FileOf(GetParam());
  for (const size_t missing : {whole.size() / 10, whole.size() / 2, whole.size() - 4}) {
    const auto image = DecodeImage(std::span(whole).first(whole.size() - missing), GetParam(), 3);
    EXPECT_FALSE(image.ok()) << missing << " bytes missing";
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, Decoded,
                         ::testing::Values("rgb420.jpg", "progressive444.jpeg", "grey.jpg", "rgb.png",
                                           "alpha.png", "palette.png", "rgb24.bmp", "palette8.bmp",
                                           "black1.bmp", "masks32.bmp"));

// EncodePng is ours, the decoder is libpng.
TEST(DecodeImage, ReadsBackWhatEncodePngWrote) {
  for (const int32_t channels : {1, 3}) {
    Bytes pixels(static_cast<size_t>(5 * 7 * channels));
    for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(37 * i);
    const auto image = DecodeImage(EncodePng(5, 7, channels, pixels), "made.png", channels);
    QAT_ASSERT_OK(image);
    EXPECT_EQ(image->height, 5);
    EXPECT_EQ(image->width, 7);
    EXPECT_EQ(image->pixels, pixels);
  }
}

// libjpeg only warns of these: bytes missing in the middle cost pixels, bytes too many before the end cost
// none.
TEST(DecodeImage, TellsLostPixelsFromOddButWholeJpegs) {
  const Bytes whole = FileOf("rgb420.jpg");
  Bytes hole = whole;
  hole.erase(hole.end() - 60, hole.end() - 2);
  QAT_EXPECT_ERROR(DecodeImage(hole, "hole.jpg", 3), ErrorCode::kCorrupt,
                   "hole.jpg: is a damaged JPEG picture (Corrupt JPEG data: premature end of data segment)");
  Bytes odd = whole;
  odd.insert(odd.end() - 2, {1, 2, 3});
  const auto image = DecodeImage(odd, "odd.jpg", 3);
  QAT_ASSERT_OK(image);
  EXPECT_EQ(image->pixels, PixelsOf("rgb420.jpg"));
}

TEST(DecodeImage, MakesGreyAsPillowDoes) {
  const auto image = DecodeImage(FileOf("rgb.png"), "rgb.png", 1);
  QAT_ASSERT_OK(image);
  EXPECT_EQ(image->channels, 1);
  EXPECT_EQ(image->pixels, PixelsOf("grey_of_rgb"));
}

TEST(DecodeImage, LeavesAGreyPictureAsItIsInEitherNumberOfChannels) {
  const Image grey = *DecodeImage(FileOf("grey.jpg"), "grey.jpg", 1);
  const Image rgb = *DecodeImage(FileOf("grey.jpg"), "grey.jpg", 3);
  for (size_t i = 0; i < grey.pixels.size(); ++i) EXPECT_EQ(grey.pixels[i], rgb.pixels[3 * i + 2]);
}

TEST(DecodeImage, SaysWhatIsWrongWithAFile) {
  QAT_EXPECT_ERROR(DecodeImage(FileOf("cmyk.jpg"), "a.jpg", 3), ErrorCode::kUnsupported,
                   "a.jpg: is a CMYK JPEG, expected RGB or grey");
  const std::string text = "no picture";
  QAT_EXPECT_ERROR(DecodeImage(Bytes(text.begin(), text.end()), "b.png", 3), ErrorCode::kCorrupt,
                   "b.png: is a text file, expected a JPEG, PNG or BMP picture");
  QAT_EXPECT_ERROR(DecodeImage({}, "c.png", 3), ErrorCode::kCorrupt, "c.png: is an empty file");
  const Bytes whole = FileOf("rgb24.bmp");
  QAT_EXPECT_ERROR(DecodeImage(std::span(whole).first(100), "d.bmp", 3), ErrorCode::kCorrupt,
                   "d.bmp: is a BMP picture cut off after 100 bytes, expected 730");
}

// A header of a few bytes must not make us ask for gigabytes.
TEST(DecodeImage, RefusesSizesBeyondTheLimitBeforeItDecodes) {
  Bytes bmp = FileOf("rgb24.bmp");
  bmp[20] = 1;  // width 17 + 2^16
  QAT_EXPECT_ERROR(DecodeImage(bmp, "wide.bmp", 3), ErrorCode::kCorrupt,
                   "wide.bmp: is 65553x13 pixels, expected sides from 1 to 65536");
  bmp = FileOf("rgb24.bmp");
  bmp[19] = bmp[23] = 0x70;  // 28,689 x 28,685
  QAT_EXPECT_ERROR(DecodeImage(bmp, "huge.bmp", 3), ErrorCode::kCorrupt, "at most 134217728 pixels");
  bmp = FileOf("rgb24.bmp");
  bmp[18] = 0;
  QAT_EXPECT_ERROR(DecodeImage(bmp, "empty.bmp", 3), ErrorCode::kCorrupt, "is 0x13 pixels");
}

// 730 bytes of a picture that says it has 64 million pixels.
TEST(DecodeImage, RefusesMorePixelsThanAJpegOfItsLengthCanHold) {
  Bytes jpeg = FileOf("rgb420.jpg");
  const uint8_t kFrame[] = {0xff, 0xc0};
  const auto frame = std::search(jpeg.begin(), jpeg.end(), std::begin(kFrame), std::end(kFrame));
  ASSERT_NE(frame, jpeg.end());
  for (const int at : {5, 7}) {  // height, width
    frame[at] = 0x1f;
    frame[at + 1] = 0x40;
  }
  QAT_EXPECT_ERROR(DecodeImage(jpeg, "a.jpg", 3), ErrorCode::kCorrupt,
                   "a.jpg: is a damaged JPEG picture (730 bytes, too few for 8000x8000 pixels)");
}

// 145 bytes, whose pixels would be unpacked to 537 MB.
TEST(DecodeImage, RefusesMorePixelsThanAPngOfItsLengthCanHold) {
  const std::string path = std::string(testing::kSourceDir) + "/tests/fuzz/regressions/png/too_large";
  const auto bytes = ReadFile(path);
  QAT_ASSERT_OK(bytes);
  QAT_EXPECT_ERROR(DecodeImage(*bytes, "a.png", 3), ErrorCode::kCorrupt,
                   "a.png: is a damaged PNG picture (145 bytes, too few for 11585x11585 pixels)");
}

// Every byte in turn set to several values: an error or a picture, never a crash (the sanitizers watch).
TEST(DecodeImage, SurvivesDamageAnywhere) {
  for (const char* name : {"rgb420.jpg", "palette.png", "palette8.bmp", "masks32.bmp", "black1.bmp"}) {
    const Bytes whole = FileOf(name);
    for (size_t i = 0; i < whole.size(); ++i) {
      for (const uint8_t value : {0x00, 0x7f, 0xff}) {
        Bytes damaged = whole;
        damaged[i] = value;
        const auto image = DecodeImage(damaged, name, 3);
        if (image.ok()) {
          EXPECT_EQ(image->pixels.size(), size_t{3} * static_cast<size_t>(image->height * image->width));
        }
      }
    }
  }
}

TEST(FitImage, LeavesAPictureOfTheRightSizeUntouched) {
  const Image image = *DecodeImage(FileOf("rgb.png"), "rgb.png", 3);
  EXPECT_EQ(FitImage(image, 13, 17), image);
}

struct Size {
  int32_t height, width;
};

class Fitted : public ::testing::TestWithParam<Size> {};

// Pillow sums in fixed point, we in float: one step where a sum lies on a half.
TEST_P(Fitted, IsWhatPillowsFitMakes) {
  const auto [height, width] = GetParam();
  const Image image = FitImage(*DecodeImage(FileOf("large.png"), "large.png", 3), height, width);
  EXPECT_EQ(image.height, height);
  EXPECT_EQ(image.width, width);
  const std::string name = "large_" + std::to_string(height) + "x" + std::to_string(width);
  EXPECT_LE(LargestDifference(image.pixels, PixelsOf(name)), 1);
}

INSTANTIATE_TEST_SUITE_P(Sizes, Fitted,
                         ::testing::Values(Size{20, 20}, Size{61, 30}, Size{90, 100}, Size{8, 3}));

// Halving weighs four pixels 1/8, 3/8, 3/8, 1/8; at the border what is left of them is scaled up.
TEST(FitImage, CountsEveryPixelWhereItShrinks) {
  const Image image{1, 8, 1, {0, 0, 0, 80, 0, 0, 0, 0}};
  const Image wide{4, 8, 1, [&] {
                     Bytes rows;
                     for (int i = 0; i < 4; ++i)
                       rows.insert(rows.end(), image.pixels.begin(), image.pixels.end());
                     return rows;
                   }()};
  EXPECT_EQ(FitImage(wide, 2, 4).pixels, (Bytes{0, 30, 10, 0, 0, 30, 10, 0}));
}

TEST(FitImage, CropsTheCentreOfWhatItCovers) {
  Image image{2, 6, 1, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
  EXPECT_EQ(FitImage(image, 2, 2).pixels, (Bytes{3, 4, 9, 10}));
}

TEST(FitImage, StretchesEachAxisByItself) {
  // Triangles of radius 2 around 1 and 3: (0.75 a + 0.75 b + 0.25 c) / 1.75.
  const Image tall = {4, 2, 1, {0, 0, 70, 70, 140, 140, 210, 210}};
  EXPECT_EQ(FitImage(tall, 2, 2, Fit::kStretch).pixels, (Bytes{50, 50, 160, 160}));
  EXPECT_EQ(FitImage(tall, 4, 2, Fit::kStretch), tall);
}

TEST(FitImage, PadsWhatItsAspectLeavesFree) {
  const Image wide = {1, 4, 1, {10, 20, 30, 40}};
  EXPECT_EQ(FitImage(wide, 4, 4, Fit::kPad).pixels,
            (Bytes{0, 0, 0, 0, 10, 20, 30, 40, 0, 0, 0, 0, 0, 0, 0, 0}));
  // Halved, then in the middle of three columns: the odd one comes after it.
  const Image tall = {4, 2, 3, Bytes(24, 100)};
  EXPECT_EQ(FitImage(tall, 2, 2, Fit::kPad).pixels, (Bytes{100, 100, 100, 0, 0, 0, 100, 100, 100, 0, 0, 0}));
}

// What Pillow makes of 32-bit reals, to within the rounding of float32.
void ExpectClose(const RealImage& image, const std::string& name) {
  const NpyArray expected = *ReadNpy(kPictures + name + ".npy");
  EXPECT_EQ(expected.shape, (Shape{image.height, image.width}));
  ASSERT_EQ(expected.values.size(), image.pixels.size() * sizeof(float));
  for (size_t i = 0; i < image.pixels.size(); ++i) {
    float value;
    std::memcpy(&value, &expected.values[i * sizeof(float)], sizeof(float));
    EXPECT_NEAR(image.pixels[i], value, 0.02) << name << "[" << i << "]";
  }
}

TEST(FitDeepImage, IsWhatPillowMakesOfRealNumbers) {
  const auto deep = std::get<DeepImage>(*DecodeAnyImage(FileOf("deep.png"), "deep.png", 1));
  ExpectClose(FitDeepImage(deep, 20, 20), "deep_20x20");
  ExpectClose(FitDeepImage(deep, 90, 100), "deep_90x100");
  ExpectClose(FitDeepImage(deep, 8, 3, Fit::kStretch), "deep_stretched_8x3");
}

TEST(FitDeepImage, LeavesAPictureOfTheRightSizeAsItIs) {
  const DeepImage deep = {1, 2, 3, {0, 1, 4095, 65535, 300, 7}};
  EXPECT_EQ(FitDeepImage(deep, 1, 2), (RealImage{1, 2, 3, {0, 1, 4095, 65535, 300, 7}}));
}

TEST(FitDeepImage, PadsWithZeros) {
  const DeepImage wide = {1, 4, 1, {1000, 65535, 3, 4}};
  EXPECT_EQ(FitDeepImage(wide, 3, 4, Fit::kPad).pixels,
            (std::vector<float>{0, 0, 0, 0, 1000, 65535, 3, 4, 0, 0, 0, 0}));
}

}  // namespace
}  // namespace qat
