#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <set>

#include "data/dataset.h"
#include "data/npy.h"
#include "support/places.h"
#include "support/test_util.h"

namespace qat {
namespace {

const std::string kArrays = std::string(testing::kSourceDir) + "/tests/data/arrays/";

class NumpyDirectory : public ::testing::Test {
 protected:
  void Write(const std::string& name, DType type, const Shape& shape, const Bytes& values) {
    ASSERT_TRUE(WriteFile(dir_ / name, Serialize(NpyArray{type, shape, values})).ok());
  }
  void WriteSplit(const std::string& split, const Bytes& labels) {
    const auto count = static_cast<int32_t>(labels.size());
    Write("x_" + split + ".npy", DType::kUInt8, {count, 2, 2}, Bytes(labels.size() * 4, 9));
    Write("y_" + split + ".npy", DType::kUInt8, {count}, labels);
  }
  Expected<Dataset> Open(Split split = Split::kTrain, const OpenOptions& options = {}) {
    return OpenDataset(dir_.path(), split, options);
  }
  // `count` different images of one byte as `name`, and labels beside them.
  void WriteX(const std::string& name, int32_t count) {
    Bytes values;
    for (int32_t i = 0; i < count; ++i) values.push_back(static_cast<uint8_t>(i));
    Write(name, DType::kUInt8, {count, 1, 1}, values);
  }
  testing::TempDir dir_;
};

// tests/data/make_arrays.py says what is in them.
TEST(Npz, IsReadAsNumpyWroteIt) {
  for (const char* name : {"stored.npz", "deflated.npz"}) {
    const auto train = OpenDataset(kArrays + name, Split::kTrain);
    QAT_ASSERT_OK(train);
    EXPECT_EQ(train->input().height, 5);
    EXPECT_EQ(train->input().width, 4);
    EXPECT_EQ(train->input().channels, 3);
    EXPECT_EQ(train->labels, (std::vector<int32_t>{0, 1, 2, 0, 1, 2}));
    EXPECT_EQ(train->class_names, (std::vector<std::string>{"0", "1", "2", "3"})) << "3 is in y_test only";
    for (size_t i = 0; i < 360; ++i) EXPECT_EQ(train->images[i], i * 7 % 251);
    const auto test = OpenDataset(kArrays + name, Split::kTest, {.limit = 2});
    QAT_ASSERT_OK(test);
    ASSERT_EQ(test->size(), 2);
    EXPECT_EQ(test->available, 3);
    const std::vector<int32_t> labels = {3, 1, 0};
    for (int32_t k = 0; k < 2; ++k) {
      const auto row = static_cast<size_t>(test->IndexOf(k));
      EXPECT_EQ(test->labels[static_cast<size_t>(k)], labels[row]);
      EXPECT_EQ(test->Image(k)[7], (row * 60 + 7) * 5 % 251);
    }
  }
}

TEST_F(NumpyDirectory, TakesGreyImagesAndNamedClasses) {
  WriteSplit("train", {1, 0, 1});
  WriteSplit("test", {0});
  QAT_ASSERT_OK(WriteFile(dir_ / "class_names.txt", std::string_view("no\nyes\n")));
  const auto train = Open();
  QAT_ASSERT_OK(train);
  EXPECT_EQ(train->input().channels, 1);
  EXPECT_EQ(train->class_names, (std::vector<std::string>{"no", "yes"}));
  WriteSplit("test", {0, 2});
  QAT_EXPECT_ERROR(Open(Split::kTest), ErrorCode::kCorrupt,
                   "/y_test.npy: example 1: label 2, expected 0 to 1, one of 2 classes");
}

TEST_F(NumpyDirectory, TakesALabelPerPixel) {
  WriteX("x_test.npy", 1);
  Write("y_test.npy", DType::kUInt8, {1, 1, 2}, {0, 0});
  Write("x_train.npy", DType::kUInt8, {3, 2, 4}, Bytes(24, 9));
  Write("y_train.npy", DType::kUInt8, {3, 1, 2}, {0, 1, 2, 3, 4, 5});
  const auto train = Open();
  QAT_ASSERT_OK(train);
  EXPECT_EQ(train->size(), 3);
  EXPECT_EQ(train->label_height, 1);
  EXPECT_EQ(train->label_width, 2);
  EXPECT_EQ(train->LabelsOf(1)[0], 2);
  EXPECT_EQ(train->LabelsOf(1)[1], 3);
  EXPECT_EQ(train->class_names.size(), 6u);
  const auto two = OpenDataset(dir_.path(), Split::kTrain, {.limit = 2});
  QAT_ASSERT_OK(two);
  EXPECT_EQ(two->size(), 2);
  EXPECT_EQ(two->LabelsOf(1)[0], 2 * two->IndexOf(1));
  EXPECT_EQ(two->images.size(), 16u);
  Write("y_train.npy", DType::kUInt8, {2, 1, 2}, {0, 1, 2, 3});
  QAT_EXPECT_ERROR(Open(), ErrorCode::kCorrupt, "/y_train.npy: 2 labels, but ");
}

template <class T>
Bytes BytesOf(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

TEST_F(NumpyDirectory, LabelsMayBeRealNumbers) {
  WriteX("x_test.npy", 1);
  Write("y_test.npy", DType::kFloat32, {1}, BytesOf<float>({0.5f}));
  Write("x_train.npy", DType::kUInt8, {3, 1, 1}, {1, 2, 3});
  Write("y_train.npy", DType::kFloat32, {3}, BytesOf<float>({0.5f, -2, 1e3f}));
  const auto one = Open();
  QAT_ASSERT_OK(one);
  EXPECT_EQ(one->targets, 1);
  EXPECT_EQ(one->size(), 3);
  EXPECT_EQ(one->NumbersOf(1)[0], -2);
  EXPECT_TRUE(one->class_names.empty());
  Write("y_test.npy", DType::kFloat64, {1, 2}, BytesOf<double>({1, 2}));
  Write("y_train.npy", DType::kFloat64, {3, 2}, BytesOf<double>({1, 2, 3, 4, 5, 6}));
  const auto two = OpenDataset(dir_.path(), Split::kTrain, {.limit = 2});
  QAT_ASSERT_OK(two);
  EXPECT_EQ(two->targets, 2);
  EXPECT_EQ(two->NumbersOf(1)[1], static_cast<float>(2 * two->IndexOf(1) + 2));
  EXPECT_NE(Fingerprint(*one).value(), Fingerprint(*Open()).value());
}

TEST_F(NumpyDirectory, RefusesRealNumbersThatAreNone) {
  WriteX("x_train.npy", 2);
  Write("y_train.npy", DType::kFloat32, {2}, BytesOf<float>({0, NAN}));
  QAT_EXPECT_ERROR(Open(), ErrorCode::kCorrupt, "/y_train.npy: example 1: nan, expected numbers");
  Write("y_train.npy", DType::kFloat32, {2, 2}, BytesOf<float>({0, 1, INFINITY, 2}));
  QAT_EXPECT_ERROR(Open(), ErrorCode::kCorrupt, "/y_train.npy: example 1, number 0: inf, expected numbers");
  Write("y_train.npy", DType::kFloat32, {3}, BytesOf<float>({0, 1.5f, 2}));
  QAT_EXPECT_ERROR(Open(), ErrorCode::kCorrupt, "/y_train.npy: 3 labels, but ");
  Write("y_train.npy", DType::kFloat32, {2, 1, 1, 1, 1}, BytesOf<float>({0, 0.5f}));
  QAT_EXPECT_ERROR(Open(), ErrorCode::kCorrupt, "/y_train.npy: shape [2, 1, 1, 1, 1], expected [count]");
}

TEST_F(NumpyDirectory, NamesTheArraysThatAreMissing) {
  WriteSplit("test", {1, 0});
  QAT_EXPECT_ERROR(
      Open(), ErrorCode::kNotFound,
      dir_.path() +
          ": holds no images with labels for training beside x_test.npy and y_test.npy, expected "
          "arrays named x_train, y_train, x_test and y_test, or x and y; found x_test.npy, "
          "y_test.npy");
}

TEST_F(NumpyDirectory, RefusesWrongTypesAndShapes) {
  WriteSplit("train", {1, 0, 1, 0});
  Write("x_train.npy", DType::kFloat32, {2, 1, 1}, BytesOf<float>({-1, 3}));
  OpenOptions bytes;
  bytes.values = ValueType::kByte;
  QAT_EXPECT_ERROR(
      Open(Split::kTrain, bytes), ErrorCode::kCorrupt,
      "/x_train.npy: elements are float32, expected uint8, since the network takes bytes: ((x + 1) "
      "/ 4 * 255).round().clip(0, 255).astype(\"uint8\"), and `mean` 63.75 `std` 63.75 gives the values "
      "back");
  Write("x_train.npy", DType::kUInt8, {2, 1, 1, 2, 2}, Bytes(8));
  QAT_EXPECT_ERROR(Open(), ErrorCode::kCorrupt,
                   "/x_train.npy: shape [2, 1, 1, 2, 2], expected [count, values], [count, height, width]");
  Write("x_train.npy", DType::kUInt8, {2, 0, 2}, {});
  QAT_EXPECT_ERROR(Open(), ErrorCode::kCorrupt, "/x_train.npy: shape [2, 0, 2], expected no size of 0");
  Write("x_train.npy", DType::kUInt8, {3, 2, 2}, Bytes(12));
  QAT_EXPECT_ERROR(Open(), ErrorCode::kCorrupt,
                   "/y_train.npy: 4 labels, but " + dir_.path() + "/x_train.npy holds 3");
  Write("y_train.npy", DType::kUInt8, {3, 10}, Bytes(30, 2));
  QAT_EXPECT_ERROR(
      Open(), ErrorCode::kCorrupt,
      "/y_train.npy: shape [3, 10], expected [count], one label per image, [count, classes] of one-hot");
  Write("y_train.npy", DType::kFloat16, {3}, Bytes(6));
  QAT_EXPECT_ERROR(Open(), ErrorCode::kCorrupt,
                   "/y_train.npy: elements are float16, expected integers or text for classes");
}

TEST_F(NumpyDirectory, MakesATestSplitOfDataInOnePiece) {
  WriteX("x.npy", 100);
  Bytes labels(100);
  for (size_t i = 0; i < 100; ++i) labels[i] = i < 90 ? 0 : 1;  // sorted, as files often are
  Write("y.npy", DType::kUInt8, {100}, labels);
  const auto train = Open(), test = Open(Split::kTest);
  QAT_ASSERT_OK(train);
  QAT_ASSERT_OK(test);
  EXPECT_EQ(train->size(), 90);
  EXPECT_EQ(test->size(), 10);
  EXPECT_EQ(std::count(test->labels.begin(), test->labels.end(), 1), 1);
  std::set<uint8_t> all(train->images.begin(), train->images.end());
  all.insert(test->images.begin(), test->images.end());
  EXPECT_EQ(all.size(), 100u);
  EXPECT_EQ(test->images[3], test->IndexOf(3)) << "rows of the file";
  ASSERT_EQ(train->notes.size(), 1u);
  EXPECT_EQ(train->notes[0],
            "there is no test split: a fixed choice of one example in ten of each class is taken, 10 of 100; "
            "arrays named "
            "x_test and y_test make another choice");
}

TEST_F(NumpyDirectory, TrainsAndTestsOnTheSameWhereThereIsNothingToSpare) {
  WriteX("x.npy", 3);
  Write("y.npy", DType::kUInt8, {3}, {0, 1, 2});
  const auto train = Open(), test = Open(Split::kTest);
  QAT_ASSERT_OK(train);
  QAT_ASSERT_OK(test);
  EXPECT_EQ(train->size(), 3);
  EXPECT_EQ(test->size(), 3);
  EXPECT_EQ(test->warning,
            "there is no test split, and no class has two examples: the test split is the training split, so "
            "an accuracy "
            "says nothing about other examples");
}

TEST_F(NumpyDirectory, TakesValidationArraysAsTheHoldoutAndNamesWhatIsNotUsed) {
  WriteSplit("train", {0, 1, 2});
  WriteSplit("val", {2, 1});
  WriteSplit("test", {1});
  Write("weights.npy", DType::kUInt8, {1}, {0});
  Write("x_extra.npy", DType::kUInt8, {1}, {0});
  const auto train = Open();
  QAT_ASSERT_OK(train);
  EXPECT_EQ(train->labels, (std::vector<int32_t>{0, 1, 2, 2, 1}));
  EXPECT_EQ(train->own_holdout, 2);
  EXPECT_EQ(train->images.size(), 20u);
  EXPECT_EQ(train->warning, "not used: weights.npy, x_extra.npy");
  EXPECT_EQ(Open(Split::kTest)->labels, std::vector<int32_t>{1});
}

TEST_F(NumpyDirectory, TakesValidationArraysAsTheTestSplitWhereThereIsNoOther) {
  WriteSplit("train", {0, 1, 2});
  WriteSplit("val", {2, 1});
  EXPECT_EQ(Open()->own_holdout, 0);
  const auto test = Open(Split::kTest);
  QAT_ASSERT_OK(test);
  EXPECT_EQ(test->labels, (std::vector<int32_t>{2, 1}));
  EXPECT_EQ(test->notes, std::vector<std::string>{"'x_val.npy' is the test split, since there is no other"});
}

// MedMNIST's names, its column of labels, its three splits.
TEST_F(NumpyDirectory, ReadsMedMnist) {
  for (const std::string split : {"train", "val", "test"}) {
    Write(split + "_images.npy", DType::kUInt8, {4, 2, 2, 3}, Bytes(48));
    Write(split + "_labels.npy", DType::kUInt8, {4, 1}, {0, 1, 2, 1});
  }
  const auto train = Open();
  QAT_ASSERT_OK(train);
  EXPECT_EQ(train->input().channels, 3);
  EXPECT_EQ(train->size(), 8);
  EXPECT_EQ(train->own_holdout, 4);
  EXPECT_EQ(train->class_names.size(), 3u);
  EXPECT_EQ(Open(Split::kTest)->size(), 4);
}

TEST_F(NumpyDirectory, ShiftsLabelsThatBeginAtOne) {
  WriteSplit("train", {1, 2, 3, 3});
  WriteSplit("test", {2, 1});
  const auto train = Open(), test = Open(Split::kTest);
  QAT_ASSERT_OK(train);
  QAT_ASSERT_OK(test);
  EXPECT_EQ(train->labels, (std::vector<int32_t>{0, 1, 2, 2}));
  EXPECT_EQ(train->class_names, (std::vector<std::string>{"1", "2", "3"}));
  EXPECT_EQ(test->labels, (std::vector<int32_t>{1, 0}));
  EXPECT_EQ(test->notes,
            std::vector<std::string>{
                "labels 1 to 3 are 3 classes, numbered 0 to 2 in this order and named by their label"});
  QAT_ASSERT_OK(WriteFile(dir_ / "class_names.txt", std::string_view("\xef\xbb\xbf"
                                                                     "ant\r\nbee\r\nowl\r\n")));
  const auto named = Open(Split::kTest);
  QAT_ASSERT_OK(named);
  EXPECT_EQ(named->class_names, (std::vector<std::string>{"ant", "bee", "owl"}));
  EXPECT_EQ(named->labels, (std::vector<int32_t>{1, 0})) << "though no label of this split is 3";
}

// What a model was trained on decides, whatever the test set alone looks like.
TEST_F(NumpyDirectory, ATestSetAloneFollowsTheModel) {
  WriteSplit("test", {2, 1});
  OpenOptions options;
  options.class_names = {"1", "2", "3"};
  EXPECT_EQ(Open(Split::kTest, options)->labels, (std::vector<int32_t>{1, 0}));
  options.class_names = {"0", "1", "2"};
  EXPECT_EQ(Open(Split::kTest, options)->labels, (std::vector<int32_t>{2, 1}));
  options.class_names = {};
  options.label_indices = true;
  EXPECT_EQ(Open(Split::kTest, options)->labels, (std::vector<int32_t>{2, 1}));
}

TEST_F(NumpyDirectory, MatchesClassesByNameWhereTheModelHasAnotherOrder) {
  WriteSplit("test", {0, 1, 2});
  QAT_ASSERT_OK(WriteFile(dir_ / "class_names.txt", std::string_view("ant\nbee\nowl\n")));
  OpenOptions options;
  options.class_names = {"owl", "ant", "bee"};
  const auto test = Open(Split::kTest, options);
  QAT_ASSERT_OK(test);
  EXPECT_EQ(test->labels, (std::vector<int32_t>{1, 2, 0}));
  options.class_names = {"owl", "ant"};
  QAT_EXPECT_ERROR(Open(Split::kTest, options), ErrorCode::kCorrupt,
                   "label 1 is the class 'bee', expected one of the 2");
}

TEST_F(NumpyDirectory, TakesImagesAloneWhereLabelsAreNotNeeded) {
  WriteX("x_train.npy", 5);
  QAT_EXPECT_ERROR(Open(), ErrorCode::kNotFound, "holds no images with labels");
  OpenOptions options;
  options.unlabelled = true;
  const auto images = Open(Split::kTrain, options);
  QAT_ASSERT_OK(images);
  EXPECT_EQ(images->size(), 5);
  EXPECT_FALSE(images->labelled);
  EXPECT_EQ(OpenDataset(dir_ / "x_train.npy", Split::kTrain, options)->size(), 5);
  QAT_EXPECT_ERROR(OpenDataset(dir_ / "x_train.npy", Split::kTrain), ErrorCode::kNotFound,
                   "is one array without labels, expected an .npz file of arrays");
}

// Sorted labels: a prefix would hold one class.
TEST_F(NumpyDirectory, ALimitIsAStratifiedSample) {
  WriteX("x_test.npy", 100);
  Bytes labels(100);
  for (size_t i = 0; i < 100; ++i) labels[i] = static_cast<uint8_t>(i / 25);
  Write("y_test.npy", DType::kUInt8, {100}, labels);
  const auto sample = Open(Split::kTest, {.limit = 8});
  QAT_ASSERT_OK(sample);
  EXPECT_EQ(sample->labels, (std::vector<int32_t>{0, 0, 1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(sample->available, 100);
  for (int32_t i = 0; i < 8; ++i) EXPECT_EQ(sample->Image(i)[0], sample->IndexOf(i));
  EXPECT_EQ(Open(Split::kTest, {.limit = 8})->indices, sample->indices);
  EXPECT_NE(Open(Split::kTest, {.limit = 8, .seed = 2})->indices, sample->indices);
  EXPECT_EQ(Open(Split::kTest, {.limit = 100})->available, 0) << "all of them";
}

// np.savez calls it arr_0, and who calibrates a network may call it as its input.
TEST(NumpyFile, TheOnlyArrayWithoutLabelsNeedsNoName) {
  OpenOptions options;
  options.unlabelled = true;
  const auto only = OpenDataset(kArrays + "one.npz", Split::kTrain, options);
  QAT_ASSERT_OK(only);
  EXPECT_EQ(only->size(), 3);
  EXPECT_EQ(only->input().channels, 3);
  EXPECT_NE(only->notes.front().find("'in0.npy' is taken without labels"), std::string::npos)
      << only->notes.front();
}

// An autoencoder learns from x_train, although only the test split has labels, which say what is an anomaly.
TEST_F(NumpyDirectory, OfAnAutoencoderUsesImagesWithoutLabels) {
  WriteX("x_train.npy", 8);
  WriteX("x_val.npy", 3);
  WriteSplit("test", {0, 1, 0});
  WriteX("x_test.npy", 3);
  OpenOptions options;
  options.task = Task::kReconstruction;
  const auto train = Open(Split::kTrain, options);
  QAT_ASSERT_OK(train);
  EXPECT_EQ(train->size(), 8);
  const auto test = Open(Split::kTest, options);
  QAT_ASSERT_OK(test);
  EXPECT_EQ(test->size(), 3);
  EXPECT_EQ(test->warning, "not used: x_val.npy") << "nothing learns from it";
}

}  // namespace
}  // namespace qat
