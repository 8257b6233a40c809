#include "data/exif.h"

#include <gtest/gtest.h>

#include "data/npy.h"
#include "support/places.h"
#include "support/test_util.h"

namespace qat {
namespace {

const std::string kPictures = std::string(testing::kSourceDir) + "/tests/data/pictures/";

Bytes FileOf(int orientation) {
  return *ReadFile(kPictures + "orientation" + std::to_string(orientation) + ".jpg");
}

// tests/data/make_pictures.py wrote even orientations in little-endian, odd ones in big-endian.
class Exif : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Orientations, Exif, ::testing::Range(1, 9));

TEST_P(Exif, OrientationIsRead) { EXPECT_EQ(ExifOrientation(FileOf(GetParam())), GetParam()); }

TEST_P(Exif, TurnsAPictureAsPillowDoes) {
  const auto image = DecodeImage(FileOf(GetParam()), "a.jpg", 3);
  QAT_ASSERT_OK(image);
  const auto seen = ReadNpy(kPictures + "orientation" + std::to_string(GetParam()) + ".jpg.npy");
  QAT_ASSERT_OK(seen);
  EXPECT_EQ((Shape{image->height, image->width, image->channels}), seen->shape);
  EXPECT_EQ(image->pixels, seen->values);
}

TEST(ExifOrientation, IsOneWhereThereIsNoExif) {
  EXPECT_EQ(ExifOrientation(*ReadFile(kPictures + "rgb420.jpg")), 1);
  EXPECT_EQ(ExifOrientation({}), 1);
}

// Wherever the file ends and whatever a byte says: an orientation, never a read beyond the end (the
// sanitizers watch).
TEST(ExifOrientation, StaysWithinADamagedFile) {
  for (const int orientation : {6, 7}) {
    const Bytes whole = FileOf(orientation);
    for (size_t size = 0; size < whole.size(); ++size) {
      const int read = ExifOrientation(Bytes(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)));
      EXPECT_TRUE(read == 1 || read == orientation) << size;
    }
    for (size_t i = 0; i < 100; ++i) {
      for (const uint8_t value : {0x00, 0x01, 0x7f, 0xff}) {
        Bytes damaged = whole;
        damaged[i] = value;
        const int read = ExifOrientation(damaged);
        EXPECT_TRUE(read >= 1 && read <= 8) << i;
      }
    }
  }
}

}  // namespace
}  // namespace qat
