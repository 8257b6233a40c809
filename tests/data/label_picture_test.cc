#include "data/label_picture.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <numeric>

#include "base/png.h"
#include "data/image.h"
#include "support/png_file.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::Encoded;
using testing::PngColour;
using testing::PngFile;

std::vector<int32_t> LabelsIn(const PngFile& file) {
  const auto picture = DecodeLabelPicture(Encoded(file), "mask.png");
  EXPECT_TRUE(picture.ok()) << (picture.ok() ? "" : picture.error().message);
  return picture.ok() ? picture->labels : std::vector<int32_t>();
}

TEST(DecodeLabelPicture, TakesSamplesAsTheyAreStored) {
  EXPECT_EQ(LabelsIn({1, 3, 1, PngColour::kGrey, false, {0, 1, 1}}), (std::vector<int32_t>{0, 1, 1}));
  EXPECT_EQ(LabelsIn({1, 3, 2, PngColour::kGrey, false, {3, 1, 2}}), (std::vector<int32_t>{3, 1, 2}));
  EXPECT_EQ(LabelsIn({2, 2, 8, PngColour::kGrey, true, {0, 7, 255, 1}}),
            (std::vector<int32_t>{0, 7, 255, 1}));
  EXPECT_EQ(LabelsIn({1, 2, 16, PngColour::kGrey, false, {1000, 65535}}),
            (std::vector<int32_t>{1000, 65535}));
  // Indices, whatever the colours are.
  const testing::PngChunk colours = {"PLTE", {9, 9, 9, 200, 0, 0, 0, 200, 0}};
  EXPECT_EQ(LabelsIn({1, 4, 8, PngColour::kPalette, false, {2, 0, 1, 2}, {colours}}),
            (std::vector<int32_t>{2, 0, 1, 2}));
  EXPECT_EQ(LabelsIn({1, 4, 4, PngColour::kPalette, false, {2, 0, 1, 2}, {colours}}),
            (std::vector<int32_t>{2, 0, 1, 2}));
  // Greys with an alpha channel, and as colours.
  EXPECT_EQ(LabelsIn({1, 2, 8, PngColour::kGreyAlpha, false, {5, 255, 6, 0}}), (std::vector<int32_t>{5, 6}));
  EXPECT_EQ(LabelsIn({1, 2, 8, PngColour::kRgb, false, {5, 5, 5, 6, 6, 6}}), (std::vector<int32_t>{5, 6}));
}

TEST(DecodeLabelPicture, RefusesColoursAndWhatChangesLabels) {
  QAT_EXPECT_ERROR(
      DecodeLabelPicture(Encoded({1, 2, 8, PngColour::kRgb, false, {5, 5, 5, 255, 0, 9}}), "a/mask.png"),
      ErrorCode::kUnsupported,
      "a/mask.png: has the colour 255, 0, 9 at row 0, column 1, expected one number per pixel, as a PNG of "
      "greys or of a palette");
  const std::string jpeg = std::string(testing::kSourceDir) + "/tests/data/pictures/grey.jpg";
  QAT_EXPECT_ERROR(ReadLabelPicture(jpeg), ErrorCode::kUnsupported,
                   "grey.jpg: is a JPEG, whose compression changes labels");
  QAT_EXPECT_ERROR(DecodeLabelPicture(Bytes{'t', 'e', 'x', 't'}, "mask.png"), ErrorCode::kCorrupt,
                   "mask.png: is a text file");
  Bytes cut = Encoded({1, 2, 8, PngColour::kGrey, false, {5, 6}});
  cut.resize(cut.size() - 20);
  QAT_EXPECT_ERROR(DecodeLabelPicture(cut, "mask.png"), ErrorCode::kCorrupt,
                   "mask.png: is a damaged PNG picture");
}

// A picture whose value is its column (or row) shows, fitted, which column each place came from.
TEST(FitLabels, LieWhereThePictureDoes) {
  const int32_t own_height = 23, own_width = 40;
  for (const Fit fit : {Fit::kCrop, Fit::kPad, Fit::kStretch}) {
    for (const auto& [height, width] :
         {std::pair(10, 10), std::pair(46, 80), std::pair(31, 17), std::pair(23, 40)}) {
      for (const bool rows : {false, true}) {
        Image ramp = {own_height, own_width, 1, {}};
        LabelPicture labels = {own_height, own_width, {}};
        for (int32_t y = 0; y < own_height; ++y) {
          for (int32_t x = 0; x < own_width; ++x) {
            ramp.pixels.push_back(static_cast<uint8_t>(100 + (rows ? y : x)));
            labels.labels.push_back(rows ? y : x);
          }
        }
        const Image picture = FitImage(ramp, height, width, fit);
        const LabelPicture fitted = FitLabels(labels, height, width, fit);
        ASSERT_EQ(fitted.labels.size(), picture.pixels.size());
        // Half a pixel by rounding, and at the edges half the width of the filter.
        const int tolerance =
            1 + static_cast<int>(std::max(double(own_height) / height, double(own_width) / width)) / 2;
        for (size_t i = 0; i < fitted.labels.size(); ++i) {
          ASSERT_EQ(fitted.labels[i] == kPaddedLabel, picture.pixels[i] == 0) << i;
          if (picture.pixels[i] == 0) continue;
          ASSERT_LE(std::abs(fitted.labels[i] + 100 - picture.pixels[i]), tolerance)
              << height << "x" << width << " at " << i;
        }
      }
    }
  }
}

TEST(FitLabels, KeepsThemWhereTheSizeIsRight) {
  LabelPicture picture = {2, 3, {0, 1, 2, 3, 4, 5}};
  for (const Fit fit : {Fit::kCrop, Fit::kPad, Fit::kStretch})
    EXPECT_EQ(FitLabels(picture, 2, 3, fit).labels, picture.labels);
  EXPECT_EQ(FitLabels(picture, 4, 6, Fit::kStretch).labels[7], 0);
}

}  // namespace
}  // namespace qat
