// Pictures with a picture of labels each, as OpenDataset gives them.
#include "data/picture_labels.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/strings.h"
#include "data/dataset.h"
#include "support/png_file.h"
#include "support/subprocess.h"
#include "support/test_util.h"

namespace qat {
namespace {

namespace fs = std::filesystem;

// Pictures of 4x2 whose grey is their number, and labels of which the first is.
class LabelFolder : public ::testing::Test {
 protected:
  void Put(const std::string& name, uint16_t value, std::vector<uint16_t> labels = {}) {
    fs::create_directories(fs::path(dir_ / name).parent_path());
    if (labels.empty()) labels.assign(8, value);
    QAT_ASSERT_OK(
        WriteFile(dir_ / name, testing::Encoded({2, 4, 8, testing::PngColour::kGrey, false, labels})));
  }
  void PutPair(const std::string& images, const std::string& masks, int number) {
    const auto value = static_cast<uint16_t>(number);
    const std::string name = StrCat(number, ".png");
    Put(images + "/" + name, static_cast<uint16_t>(100 + number));
    const auto label = static_cast<uint16_t>(value % 3);
    Put(masks + "/" + name, 0, {label, 0, 1, 2, 2, 1, 0, 0});
  }
  Expected<Dataset> Open(Split split, const OpenOptions& options = {}) {
    return OpenDataset(dir_.path(), split, options);
  }
  // The label of a picture's first pixel goes with its number.
  static void ExpectPairs(const Dataset& dataset) {
    ASSERT_EQ(dataset.LabelsPerImage(), dataset.input().height * dataset.input().width);
    for (int64_t i = 0; i < dataset.size(); ++i)
      EXPECT_EQ(dataset.LabelsOf(i)[0], (dataset.Image(i)[0] - 100) % 3) << i;
  }
  testing::TempDir dir_;
};

TEST_F(LabelFolder, GivesEachPixelALabel) {
  for (int i = 0; i < 20; ++i) PutPair("images", "masks", i);
  const auto train = Open(Split::kTrain), test = Open(Split::kTest);
  QAT_ASSERT_OK(train);
  QAT_ASSERT_OK(test);
  EXPECT_EQ(train->size(), 18);
  EXPECT_EQ(test->size(), 2);
  ExpectPairs(*train);
  ExpectPairs(*test);
  EXPECT_EQ(train->class_names, (std::vector<std::string>{"0", "1", "2"}));
  EXPECT_EQ(std::vector<int32_t>(train->LabelsOf(0).begin() + 1, train->LabelsOf(0).end()),
            (std::vector<int32_t>{0, 1, 2, 2, 1, 0, 0}));
  EXPECT_NE(Join(train->notes).find("images holds pictures, and"), std::string::npos);
  EXPECT_EQ(train->fingerprint, *Fingerprint(*Open(Split::kTrain)));
  OpenOptions options;
  options.unlabelled = true;
  EXPECT_EQ(Open(Split::kTrain, options)->size(), 18) << "masks are no pictures to calibrate with";
  options = {};
  options.task = Task::kReconstruction;
  EXPECT_EQ(Open(Split::kTrain, options)->LabelsPerImage(), 1);
  options = {};
  options.whole = true;
  EXPECT_EQ(Open(Split::kTest, options)->size(), 20);
  options = {};
  options.limit = 5;
  const auto some = Open(Split::kTrain, options);
  QAT_ASSERT_OK(some);
  EXPECT_EQ(some->size(), 5);
  ExpectPairs(*some);
  options = {};
  options.cache_bytes = 0;
  const auto streamed = Open(Split::kTrain, options);
  QAT_ASSERT_OK(streamed);
  EXPECT_EQ(streamed->labels, train->labels);
  EXPECT_EQ(streamed->fingerprint, train->fingerprint);
}

TEST_F(LabelFolder, SplitsAreFoldersAroundTheTwoOrInsideOfThem) {
  for (int i = 0; i < 4; ++i) PutPair("train/Images", "train/Labels", i);
  PutPair("val/Images", "val/Labels", 4);
  for (int i = 5; i < 7; ++i) PutPair("test/Images", "test/Labels", i);
  const auto around = Open(Split::kTrain);
  QAT_ASSERT_OK(around);
  EXPECT_EQ(around->size(), 5);
  EXPECT_EQ(around->own_holdout, 1);
  EXPECT_EQ(around->Image(4)[0], 104);
  ExpectPairs(*around);
  EXPECT_EQ(Open(Split::kTest)->size(), 2);
  for (const char* folder : {"train", "val", "test"}) fs::remove_all(dir_ / folder);
  for (int i = 0; i < 4; ++i) PutPair("images/training", "annotations/training", i);
  PutPair("images/validation", "annotations/validation", 4);
  const auto inside = Open(Split::kTrain);
  QAT_ASSERT_OK(inside);
  EXPECT_EQ(inside->size(), 4);
  ExpectPairs(*inside);
  EXPECT_EQ(Open(Split::kTest)->size(), 1);
}

TEST_F(LabelFolder, ClassesAreThoseOfAllSplitsAndMayHaveNames) {
  Put("train/images/a.png", 1);
  Put("train/images/b.png", 2);
  Put("train/masks/a_mask.png", 0, {0, 0, 1, 1, 0, 0, 1, 1});
  Put("train/masks/b_mask.png", 0, {0, 0, 1, 1, 0, 0, 1, 255});
  Put("test/images/c.png", 3);
  Put("test/masks/c.png", 0, {2, 0, 1, 1, 0, 0, 1, 1});
  testing::WriteText(dir_ / "class_names.txt", "road\ncar\nsky\n");
  const auto train = Open(Split::kTrain);
  QAT_ASSERT_OK(train);
  EXPECT_EQ(train->class_names, (std::vector<std::string>{"road", "car", "sky"}));
  EXPECT_EQ(train->ignored, 255);
  EXPECT_EQ(train->LabelsOf(1)[7], kIgnoredLabel);
  OpenOptions options;
  options.class_names = train->class_names;
  EXPECT_EQ(Open(Split::kTest, options)->LabelsOf(0)[0], 2);
}

TEST_F(LabelFolder, AreFittedAsThePicturesAre) {
  for (int i = 0; i < 3; ++i) PutPair("train/images", "train/masks", i);
  PutPair("test/images", "test/masks", 3);
  OpenOptions options;
  options.height = 4;
  options.width = 4;
  options.channels = 1;
  options.fit = Fit::kPad;
  const auto train = Open(Split::kTrain, options);
  QAT_ASSERT_OK(train);
  EXPECT_EQ(std::vector<int32_t>(train->LabelsOf(0).begin(), train->LabelsOf(0).end()),
            (std::vector<int32_t>{-1, -1, -1, -1, 0, 0, 1, 2, 2, 1, 0, 0, -1, -1, -1, -1}));
  Put("test/masks/3.png", 0, {0, 1, 2, 0, 0, 0, 0, 0});
  QAT_ASSERT_OK(WriteFile(dir_ / "test/masks/3.png", testing::Encoded({4, 4, 8, testing::PngColour::kGrey,
                                                                       false, std::vector<uint16_t>(16)})));
  options.strict = true;
  QAT_EXPECT_ERROR(Open(Split::kTest, options), ErrorCode::kCorrupt, "masks/3.png: is 4x4, expected 4x2 as ");
}

TEST_F(LabelFolder, OfMoreLabelsThanMemoryHoldsIsRefusedBeforeItIsRead) {
  for (int i = 0; i < 3; ++i) PutPair("train/images", "train/masks", i);
  PutPair("test/images", "test/masks", 3);
  OpenOptions options;
  options.height = options.width = 30000;
  QAT_EXPECT_ERROR(Open(Split::kTrain, options), ErrorCode::kUnsupported,
                   "3 pictures of 30000x30000 have 2700000000 labels, expected 1073741824 at most");
}

TEST_F(LabelFolder, SaysWhatHasNoOther) {
  for (int i = 0; i < 3; ++i) PutPair("train/images", "train/masks", i);
  PutPair("test/images", "test/masks", 3);
  Put("train/images/alone.png", 9);
  Put("train/masks/of_none.png", 1);
  const auto train = Open(Split::kTrain);
  QAT_ASSERT_OK(train);
  EXPECT_EQ(train->size(), 3);
  EXPECT_NE(train->warning.find("left out 1 picture without labels in "), std::string::npos)
      << train->warning;
  EXPECT_NE(train->warning.find("left out 1 file in "), std::string::npos) << train->warning;
  EXPECT_EQ(Open(Split::kTest)->warning, "");
  fs::remove_all(dir_ / "test");
  EXPECT_NE(Open(Split::kTest)->warning.find("left out 1 picture without labels in "), std::string::npos)
      << "of pictures in one piece both splits are made";
  PutPair("test/images", "test/masks", 3);
  Put("train/masks/1_mask.png", 1);
  QAT_EXPECT_ERROR(Open(Split::kTrain), ErrorCode::kCorrupt,
                   "could hold the labels of picture '1', expected one of them");
  fs::remove_all(dir_ / "train/masks");
  Put("train/masks/x.png", 1);
  QAT_EXPECT_ERROR(Open(Split::kTrain), ErrorCode::kCorrupt, "holds labels of none of the pictures in ");
  fs::remove_all(dir_ / "train");
  QAT_EXPECT_ERROR(Open(Split::kTrain), ErrorCode::kNotFound, "holds no pictures for training");
}

TEST_F(LabelFolder, IsNoneWhereThereAreOtherFolders) {
  for (const char* name :
       {"images/1.png", "images/2.png", "masks/1.png", "masks/2.png", "maps/1.png", "maps/2.png"})
    Put(name, 1);
  EXPECT_EQ(Open(Split::kTrain)->class_names, (std::vector<std::string>{"images", "maps", "masks"}));
}

}  // namespace
}  // namespace qat
