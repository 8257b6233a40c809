#include "data/picture_size.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/test_util.h"

namespace qat {
namespace {

using Sizes = std::vector<PictureSize>;

TEST(FittedSize, KeepsSmallPicturesAsTheyAre) {
  EXPECT_EQ(FittedSize(Sizes(5, {28, 28, 1})), (PictureSize{28, 28, 1}));
  EXPECT_EQ(FittedSize(Sizes{{32, 32, 1}, {32, 32, 3}}), (PictureSize{32, 32, 3})) << "one colour picture";
  EXPECT_EQ(FittedSize(Sizes(3, {1, 40, 3})), (PictureSize{1, 40, 3}));
}

TEST(FittedSize, GivesLargePicturesTheirAspectAtASmallArea) {
  EXPECT_EQ(FittedSize(Sizes(5, {480, 640, 3})), (PictureSize{56, 72, 3}));
  EXPECT_EQ(FittedSize(Sizes(5, {4000, 3000, 3})), (PictureSize{72, 56, 3}));
  EXPECT_EQ(FittedSize(Sizes(5, {100, 100, 1})), (PictureSize{64, 64, 1}));
  EXPECT_EQ(FittedSize(Sizes{{480, 640, 3}, {500, 500, 3}, {640, 480, 3}}), (PictureSize{64, 64, 3}));
  EXPECT_EQ(FittedSize(Sizes(5, {10, 4000, 3})), (PictureSize{32, 128, 3})) << "cropped to four to one";
}

TEST(FittedSize, PassesOverWhatCannotBeRead) {
  QAT_EXPECT_ERROR(FittedSize(std::vector<PictureFile>{{"/none/a.png", 0}}), ErrorCode::kCorrupt,
                   "none of 1 pictures can be read; /none/a.png");
}

}  // namespace
}  // namespace qat
