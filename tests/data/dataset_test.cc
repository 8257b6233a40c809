#include "data/dataset.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/file.h"
#include "data/idx.h"
#include "support/test_util.h"

namespace qat {
namespace {

constexpr std::string_view kTrainImages = "train-images-idx3-ubyte", kTrainLabels = "train-labels-idx1-ubyte";

// A directory of IDX files: image i is filled with i, label i is i.
class IdxDirectory : public ::testing::Test {
 protected:
  void WriteImages(std::string_view name, const Shape& shape) {
    IdxArray array{shape, Bytes(static_cast<size_t>(FlatSize(shape)))};
    const size_t image = array.values.size() / static_cast<size_t>(shape[0]);
    for (size_t i = 0; i < array.values.size(); ++i) array.values[i] = static_cast<uint8_t>(i / image);
    ASSERT_TRUE(WriteFile(dir_ / std::string(name), SerializeIdx(array)).ok());
  }
  void WriteLabels(std::string_view name, const Bytes& labels) {
    const Shape shape = {static_cast<int32_t>(labels.size())};
    ASSERT_TRUE(WriteFile(dir_ / std::string(name), SerializeIdx({shape, labels})).ok());
  }
  testing::TempDir dir_;
};

TEST_F(IdxDirectory, IsReadAsImagesAndLabels) {
  WriteImages(kTrainImages, {3, 4, 5});
  WriteLabels(kTrainLabels, {0, 1, 2});
  WriteImages("t10k-images-idx3-ubyte", {1, 4, 5});
  WriteLabels("t10k-labels-idx1-ubyte", {4});
  const auto data = OpenDataset(dir_.path(), Split::kTrain);
  QAT_ASSERT_OK(data);
  EXPECT_EQ(data->name, dir_.path());
  EXPECT_EQ(data->input().height, 4);
  EXPECT_EQ(data->input().width, 5);
  EXPECT_EQ(data->input().channels, 1);
  EXPECT_EQ(data->labels, (std::vector<int32_t>{0, 1, 2}));
  EXPECT_EQ(data->Image(2)[19], 2);
  EXPECT_EQ(data->class_names.size(), 5u) << "as the labels of both splits say";
  EXPECT_EQ(data->class_names[4], "4");
}

TEST_F(IdxDirectory, MayBeNamedWithADotAndMayHoldOneSplitOnly) {
  WriteImages("t10k-images.idx3-ubyte", {2, 4, 4});
  WriteLabels("t10k-labels.idx1-ubyte", {9, 8});
  QAT_ASSERT_OK(OpenDataset(dir_.path(), Split::kTest));
  QAT_EXPECT_ERROR(
      OpenDataset(dir_.path(), Split::kTrain), ErrorCode::kNotFound,
      dir_.path() +
          ": holds no training images, expected train-images-idx3-ubyte or the same with .gz; found "
          "t10k-images.idx3-ubyte, t10k-labels.idx1-ubyte");
}

TEST_F(IdxDirectory, MayHoldChannelsAndNamedClasses) {
  WriteImages("train-images-idx4-ubyte", {2, 4, 4, 3});
  WriteLabels(kTrainLabels, {0, 11});
  QAT_ASSERT_OK(WriteFile(dir_ / "class_names.txt", std::string_view("a\nb\nc\n")));
  QAT_EXPECT_ERROR(OpenDataset(dir_.path(), Split::kTrain), ErrorCode::kCorrupt,
                   "/train-labels-idx1-ubyte: example 1: label 11, expected 0 to 2");
  std::string names;
  for (char c = 'a'; c < 'm'; ++c) names += std::string(1, c) + "\r\n";
  QAT_ASSERT_OK(WriteFile(dir_ / "class_names.txt", names));
  const auto data = OpenDataset(dir_.path(), Split::kTrain);
  QAT_ASSERT_OK(data);
  EXPECT_EQ(data->input().channels, 3);
  EXPECT_EQ(data->class_names[11], "l");
}

TEST_F(IdxDirectory, NamesBothNumbersWhereLabelsAndImagesDiffer) {
  WriteImages(kTrainImages, {3, 4, 5});
  WriteLabels(kTrainLabels, {0, 1});
  QAT_EXPECT_ERROR(
      OpenDataset(dir_.path(), Split::kTrain), ErrorCode::kCorrupt,
      "/train-labels-idx1-ubyte: 2 labels, but " + dir_.path() + "/train-images-idx3-ubyte holds 3 images");
}

TEST_F(IdxDirectory, RefusesImagesWithoutPixelsAndLabelsAsImages) {
  WriteImages(kTrainImages, {1, 4, 0});
  WriteLabels(kTrainLabels, {0});
  QAT_EXPECT_ERROR(OpenDataset(dir_.path(), Split::kTrain), ErrorCode::kCorrupt,
                   "shape [1, 4, 0], expected no size of 0");
  WriteLabels(kTrainImages, {0});
  QAT_EXPECT_ERROR(OpenDataset(dir_.path(), Split::kTrain), ErrorCode::kCorrupt,
                   "shape [1], expected [count, values], [count, height, width]");
}

TEST_F(IdxDirectory, MakesATestSplitWhereThereIsNone) {
  WriteImages(kTrainImages, {20, 2, 2});
  WriteLabels(kTrainLabels, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  EXPECT_EQ(OpenDataset(dir_.path(), Split::kTrain)->size(), 18);
  EXPECT_EQ(OpenDataset(dir_.path(), Split::kTest)->labels, (std::vector<int32_t>{0, 1}));
}

TEST_F(IdxDirectory, ReadsEmnist) {
  WriteImages("emnist-letters-train-images-idx3-ubyte", {3, 4, 4});
  WriteLabels("emnist-letters-train-labels-idx1-ubyte", {1, 3, 2});
  WriteImages("emnist-letters-test-images-idx3-ubyte", {2, 4, 4});
  WriteLabels("emnist-letters-test-labels-idx1-ubyte", {2, 1});
  QAT_ASSERT_OK(
      WriteFile(dir_ / "emnist-letters-mapping.txt", std::string_view("1 65 97\n2 66 98\n3 67 99\n")));
  const auto train = OpenDataset(dir_.path(), Split::kTrain), test = OpenDataset(dir_.path(), Split::kTest);
  QAT_ASSERT_OK(train);
  QAT_ASSERT_OK(test);
  EXPECT_EQ(train->class_names, (std::vector<std::string>{"A", "B", "C"}));
  EXPECT_EQ(train->labels, (std::vector<int32_t>{0, 2, 1}));
  EXPECT_EQ(test->labels, (std::vector<int32_t>{1, 0}));
  ASSERT_EQ(train->notes.size(), 2u);
  EXPECT_EQ(train->notes[0], "labels begin at 1: label 1 is class 'A', label 3 is class 'C'");
  EXPECT_EQ(train->notes[1], "EMNIST stores its images transposed; they were turned upright");
  const Bytes stored = ReadIdx(dir_ / "emnist-letters-train-images-idx3-ubyte")->values;
  for (size_t n = 0; n < 3; ++n) {
    for (size_t y = 0; y < 4; ++y) {
      for (size_t x = 0; x < 4; ++x)
        EXPECT_EQ(train->Image(static_cast<int64_t>(n))[4 * y + x], stored[16 * n + 4 * x + y]);
    }
  }
  WriteImages("emnist-digits-train-images-idx3-ubyte", {3, 4, 4});
  QAT_EXPECT_ERROR(
      OpenDataset(dir_.path(), Split::kTrain), ErrorCode::kCorrupt,
      "holds 2 data sets (files that begin with 'emnist-digits-', 'emnist-letters-'), expected one");
}

TEST_F(IdxDirectory, HasAnIdentityThatEveryByteMoves) {
  WriteImages(kTrainImages, {5, 2, 2});
  WriteLabels(kTrainLabels, {4, 3, 2, 1, 0});
  Dataset data = *OpenDataset(dir_.path(), Split::kTrain);
  const std::string identity = *Fingerprint(data);
  EXPECT_EQ(*Fingerprint(*OpenDataset(dir_.path(), Split::kTrain)), identity);
  data.name = "elsewhere";
  EXPECT_EQ(*Fingerprint(data), identity);
  data.images[7] ^= 1;
  EXPECT_NE(*Fingerprint(data), identity);
  data.images[7] ^= 1;
  std::swap(data.labels[0], data.labels[1]);
  EXPECT_NE(*Fingerprint(data), identity);
}

TEST(OpenDataset, SaysWhatIsThereInsteadOfADirectory) {
  testing::TempDir dir;
  QAT_EXPECT_ERROR(OpenDataset(dir / "absent", Split::kTrain), ErrorCode::kNotFound,
                   "/absent: no such file or directory, expected 'digits', an .npz, .csv or .tsv file, or a "
                   "directory of IDX files");
  QAT_EXPECT_ERROR(OpenDataset("digit", Split::kTrain), ErrorCode::kNotFound,
                   "digit: no such file or directory; did you mean 'digits'?");
  QAT_EXPECT_ERROR(OpenDataset(dir.path(), Split::kTrain), ErrorCode::kNotFound, "found nothing");
  QAT_ASSERT_OK(WriteFile(dir / "file", std::string_view("x")));
  QAT_EXPECT_ERROR(OpenDataset(dir / "file", Split::kTrain), ErrorCode::kNotFound,
                   "/file: is a text file, expected 'digits', an .npz, .csv or .tsv file, or a directory of");
  QAT_ASSERT_OK(WriteFile(dir / "mine.npz", std::string_view("x")));
  QAT_EXPECT_ERROR(OpenDataset(dir.path(), Split::kTrain), ErrorCode::kNotFound,
                   "; did you mean " + (dir / "mine.npz?"));
}

// The published set: 60,000 and 10,000 images; pixel sums by an independent program.
TEST(OpenDataset, ReadsMnist) {
  const std::string path = testing::DataDir() + "/mnist";
  QAT_NEEDS_FILE(path);
  const auto train = OpenDataset(path, Split::kTrain);
  QAT_ASSERT_OK(train);
  const auto test = OpenDataset(path, Split::kTest);
  QAT_ASSERT_OK(test);
  EXPECT_EQ(train->size(), 60000);
  EXPECT_EQ(test->size(), 10000);
  EXPECT_EQ(test->input().height, 28);
  EXPECT_EQ(std::vector<int32_t>(train->labels.begin(), train->labels.begin() + 8),
            (std::vector<int32_t>{5, 0, 4, 1, 9, 2, 1, 3}));
  EXPECT_EQ(std::vector<int32_t>(test->labels.begin(), test->labels.begin() + 8),
            (std::vector<int32_t>{7, 2, 1, 0, 4, 1, 4, 9}));
  int64_t train_sum = 0, test_sum = 0;
  for (const uint8_t pixel : train->images) train_sum += pixel;
  for (const uint8_t pixel : test->images) test_sum += pixel;
  EXPECT_EQ(train_sum, 1567298545);
  EXPECT_EQ(test_sum, 264923200);
}

}  // namespace
}  // namespace qat
