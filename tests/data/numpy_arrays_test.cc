#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "data/dataset.h"
#include "data/npy.h"
#include "support/test_util.h"

namespace qat {
namespace {

const std::string kArrays = std::string(QAT_SOURCE_DIR) + "/tests/data/arrays/";

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
  Expected<Dataset> Open(Split split = Split::kTrain) { return OpenDataset(dir_.path(), split); }
  testing::TempDir dir_;
};

// tests/data/make_arrays.py says what is in them.
TEST(Npz, IsReadAsNumpyWroteIt) {
  for (const char* name : {"stored.npz", "deflated.npz"}) {
    const auto train = OpenDataset(kArrays + name, Split::kTrain);
    QAT_ASSERT_OK(train);
    EXPECT_EQ(train->height, 5);
    EXPECT_EQ(train->width, 4);
    EXPECT_EQ(train->channels, 3);
    EXPECT_EQ(train->labels, (std::vector<int32_t>{0, 1, 2, 0, 1, 2}));
    EXPECT_EQ(train->class_names, (std::vector<std::string>{"0", "1", "2", "3"})) << "3 is in y_test only";
    for (size_t i = 0; i < 360; ++i) EXPECT_EQ(train->images[i], i * 7 % 251);
    const auto test = OpenDataset(kArrays + name, Split::kTest, {.limit = 2});
    QAT_ASSERT_OK(test);
    EXPECT_EQ(test->labels, (std::vector<int32_t>{3, 1}));
    for (size_t i = 0; i < 120; ++i) EXPECT_EQ(test->images[i], i * 5 % 251);
  }
}

TEST_F(NumpyDirectory, TakesGreyImagesAndNamedClasses) {
  WriteSplit("train", {1, 0, 1});
  WriteSplit("test", {0});
  QAT_ASSERT_OK(WriteFile(dir_ / "class_names.txt", std::string_view("no\nyes\n")));
  const auto train = Open();
  QAT_ASSERT_OK(train);
  EXPECT_EQ(train->channels, 1);
  EXPECT_EQ(train->class_names, (std::vector<std::string>{"no", "yes"}));
  WriteSplit("test", {0, 2});
  QAT_EXPECT_ERROR(Open(Split::kTest), ErrorCode::kCorrupt,
                   "/y_test.npy: example 1: label 2, expected 0 to 1");
}

TEST_F(NumpyDirectory, TakesALabelAPixel) {
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
  EXPECT_EQ(two->labels, (std::vector<int32_t>{0, 1, 2, 3}));
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
  Write("x_train.npy", DType::kUInt8, {3, 1, 1}, {1, 2, 3});
  Write("y_train.npy", DType::kFloat32, {3}, BytesOf<float>({0.5f, -2, 1e3f}));
  const auto one = Open();
  QAT_ASSERT_OK(one);
  EXPECT_EQ(one->targets, 1);
  EXPECT_EQ(one->size(), 3);
  EXPECT_EQ(one->NumbersOf(1)[0], -2);
  EXPECT_TRUE(one->class_names.empty());
  Write("y_train.npy", DType::kFloat64, {3, 2}, BytesOf<double>({1, 2, 3, 4, 5, 6}));
  const auto two = OpenDataset(dir_.path(), Split::kTrain, {.limit = 2});
  QAT_ASSERT_OK(two);
  EXPECT_EQ(two->targets, 2);
  EXPECT_EQ(two->numbers, (std::vector<float>{1, 2, 3, 4}));
  EXPECT_NE(Fingerprint(*one).value(), Fingerprint(*Open()).value());
}

TEST_F(NumpyDirectory, RefusesRealNumbersThatAreNone) {
  Write("x_train.npy", DType::kUInt8, {2, 1, 1}, {1, 2});
  Write("y_train.npy", DType::kFloat32, {2}, BytesOf<float>({0, NAN}));
  QAT_EXPECT_ERROR(Open(), ErrorCode::kCorrupt, "/y_train.npy: example 1: nan, expected numbers");
  Write("y_train.npy", DType::kFloat32, {3}, BytesOf<float>({0, 1, 2}));
  QAT_EXPECT_ERROR(Open(), ErrorCode::kCorrupt, "/y_train.npy: 3 rows, but ");
  Write("y_train.npy", DType::kFloat32, {2, 1, 1}, BytesOf<float>({0, 1}));
  QAT_EXPECT_ERROR(Open(), ErrorCode::kCorrupt, "/y_train.npy: shape [2, 1, 1] of float32, expected [count]");
  Write("y_train.npy", DType::kFloat32, {2, 3}, BytesOf<float>({0, 1, 0, 1, 0, 0}));
  QAT_EXPECT_ERROR(Open(), ErrorCode::kCorrupt, "/y_train.npy: every row is one-hot");
}

TEST_F(NumpyDirectory, NamesTheArrayThatIsMissing) {
  WriteSplit("train", {1, 0});
  QAT_EXPECT_ERROR(Open(Split::kTest), ErrorCode::kNotFound,
                   dir_.path() +
                       ": holds no x_test.npy, expected x_train.npy, y_train.npy, x_test.npy, y_test.npy; "
                       "found x_train.npy, y_train.npy");
}

TEST_F(NumpyDirectory, RefusesWrongTypesAndShapes) {
  WriteSplit("train", {1, 0});
  Write("x_train.npy", DType::kFloat32, {2, 1, 1}, Bytes(8));
  QAT_EXPECT_ERROR(Open(), ErrorCode::kCorrupt, "/x_train.npy: elements are float32, expected uint8 pixels");
  Write("x_train.npy", DType::kUInt8, {2, 4}, Bytes(8));
  QAT_EXPECT_ERROR(Open(), ErrorCode::kCorrupt,
                   "/x_train.npy: shape [2, 4], expected [count, height, width]");
  Write("x_train.npy", DType::kUInt8, {2, 0, 2}, {});
  QAT_EXPECT_ERROR(Open(), ErrorCode::kCorrupt, "/x_train.npy: shape [2, 0, 2], expected no size of 0");
  Write("x_train.npy", DType::kUInt8, {3, 2, 2}, Bytes(12));
  QAT_EXPECT_ERROR(Open(), ErrorCode::kCorrupt,
                   "/y_train.npy: 2 labels, but " + dir_.path() + "/x_train.npy holds 3");
  Write("x_train.npy", DType::kUInt8, {2, 2, 2}, Bytes(8));
  Write("y_train.npy", DType::kUInt8, {2, 10}, Bytes(20));
  QAT_EXPECT_ERROR(Open(), ErrorCode::kCorrupt,
                   "/y_train.npy: shape [2, 10], expected [count], one label an image, or");
  Write("y_train.npy", DType::kBool, {2}, Bytes(2));
  QAT_EXPECT_ERROR(Open(), ErrorCode::kCorrupt,
                   "/y_train.npy: elements are bool, expected integer labels, or real numbers as float32");
  Write("y_train.npy", DType::kInt8, {2}, {0, 0xff});
  QAT_EXPECT_ERROR(Open(), ErrorCode::kCorrupt, "/y_train.npy: example 1: label -1, expected 0 to 0");
}

}  // namespace
}  // namespace qat
