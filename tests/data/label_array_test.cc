#include "data/label_array.h"

#include <cmath>
#include <cstring>

#include "support/test_util.h"

namespace qat {
namespace {

template <class T>
NpyArray Array(DType type, Shape shape, const std::vector<T>& values) {
  NpyArray array{type, std::move(shape), Bytes(values.size() * sizeof(T)), {}};
  std::memcpy(array.values.data(), values.data(), array.values.size());
  return array;
}

Expected<LabelArray> Read(const NpyArray& array, Task task = Task::kAuto) {
  return ReadLabelArray(array, "y", task);
}

using Values = std::vector<int64_t>;

TEST(ReadLabelArray, TakesIntegersAndBoolAsClasses) {
  EXPECT_EQ(Read(Array<int16_t>(DType::kInt16, {3}, {1, -1, 300}))->values, (Values{1, -1, 300}));
  EXPECT_EQ(Read(Array<uint8_t>(DType::kBool, {2, 1}, {1, 0}))->values, (Values{1, 0}));
  const auto masks = Read(Array<uint8_t>(DType::kBool, {1, 2, 2, 1}, {1, 0, 0, 1}));
  QAT_ASSERT_OK(masks);
  EXPECT_EQ(masks->height, 2);
  EXPECT_EQ(masks->width, 2);
  EXPECT_EQ(masks->values, (Values{1, 0, 0, 1}));
}

TEST(ReadLabelArray, TakesOneHotRowsOfAnyType) {
  const auto floats = Read(Array<float>(DType::kFloat32, {2, 3}, {0, 0, 1, 1, 0, 0}));
  QAT_ASSERT_OK(floats);
  EXPECT_EQ(floats->values, (Values{2, 0}));
  EXPECT_EQ(floats->one_hot_classes, 3);
  EXPECT_EQ(floats->note, "one-hot rows of 3 are taken as classes");
  EXPECT_EQ(Read(Array<uint8_t>(DType::kBool, {2, 2}, {0, 1, 1, 0}))->values, (Values{1, 0}));
  const auto pixels = Read(Array<uint8_t>(DType::kUInt8, {1, 1, 2, 2}, {0, 1, 1, 0}));
  QAT_ASSERT_OK(pixels);
  EXPECT_EQ(pixels->values, (Values{1, 0}));
  EXPECT_EQ(pixels->width, 2);
  EXPECT_EQ(Read(Array<float>(DType::kFloat32, {2, 2}, {0, 1, 1, 0}), Task::kNumbers)->numbers.size(), 4u);
  QAT_EXPECT_ERROR(Read(Array<uint8_t>(DType::kUInt8, {2, 2}, {1, 2, 1, 0})), ErrorCode::kCorrupt,
                   "[count, labels] of 0 and 1 for several labels per image");
}

TEST(ReadLabelArray, TakesRowsOfZerosAndOnesAsSeveralLabels) {
  for (const auto& labels : {Read(Array<uint8_t>(DType::kBool, {2, 3}, {1, 1, 0, 0, 0, 1})),
                             Read(Array<int64_t>(DType::kInt64, {2, 3}, {1, 1, 0, 0, 0, 1})),
                             Read(Array<float>(DType::kFloat32, {2, 3}, {1, 1, 0, 0, 0, 1}))}) {
    QAT_ASSERT_OK(labels);
    EXPECT_EQ(labels->task, Task::kMultiLabel);
    EXPECT_EQ(labels->values, (Values{1, 1, 0, 0, 0, 1}));
    EXPECT_EQ(labels->height, 1);
    EXPECT_EQ(labels->width, 3);
    EXPECT_NE(labels->note.find("3 labels at once"), std::string::npos) << labels->note;
  }
  const NpyArray marks = Array<float>(DType::kFloat32, {2, 2}, {1, 1, 0, 1});
  EXPECT_EQ(Read(marks, Task::kNumbers)->task, Task::kNumbers);
  // One-hot rows by chance are labels where that is said; one label is a column, or none.
  EXPECT_EQ(Read(Array<uint8_t>(DType::kUInt8, {2, 2}, {0, 1, 1, 0}), Task::kMultiLabel)->task,
            Task::kMultiLabel);
  for (const Shape& shape : {Shape{3, 1}, Shape{3}}) {
    const auto one = Read(Array<uint8_t>(DType::kUInt8, shape, {0, 1, 1}), Task::kMultiLabel);
    QAT_ASSERT_OK(one);
    EXPECT_EQ(one->width, 1);
    EXPECT_EQ(one->values, (Values{0, 1, 1}));
  }
  QAT_EXPECT_ERROR(Read(Array<int32_t>(DType::kInt32, {2, 2}, {0, 1, 2, 0}), Task::kMultiLabel),
                   ErrorCode::kCorrupt, "y: example 1, label 0: 2, expected 0 or 1");
  QAT_EXPECT_ERROR(Read(Array<float>(DType::kFloat32, {2, 2}, {0, 1, 1, NAN}), Task::kMultiLabel),
                   ErrorCode::kCorrupt, "y: example 1, number 1: nan");
}

TEST(ReadLabelArray, TakesNumbersOfMoreAxes) {
  const auto depth = Read(Array<float>(DType::kFloat32, {2, 1, 2}, {0.5f, 1, 2, 3}));
  QAT_ASSERT_OK(depth);
  EXPECT_EQ(depth->task, Task::kNumbers);
  EXPECT_EQ(depth->targets, 2);
  EXPECT_EQ(depth->height * depth->width, 1);
}

TEST(ReadLabelArray, AsksWhatWholeNumbersStoredAsFloatsAre) {
  const NpyArray whole = Array<float>(DType::kFloat32, {4}, {0, 1, 1, 0});
  QAT_EXPECT_ERROR(
      Read(whole), ErrorCode::kInvalidArgument,
      "y: whole numbers stored as float32 could be classes or numbers to be learned; say which with `task` "
      "classes, `task` yes-no or `task` numbers");
  EXPECT_EQ(Read(whole, Task::kYesNo)->values, (Values{0, 1, 1, 0}));
  EXPECT_EQ(Read(whole, Task::kClasses)->values, (Values{0, 1, 1, 0}));
  EXPECT_EQ(Read(whole, Task::kNumbers)->numbers, (std::vector<float>{0, 1, 1, 0}));
  EXPECT_EQ(Read(Array<double>(DType::kFloat64, {4}, {0, 1, 1, 0.5}))->targets, 1) << "not all whole";
  EXPECT_EQ(Read(Array<float>(DType::kFloat32, {4}, {10, 17, 19, 23}))->targets, 1)
      << "as many values as examples";
  QAT_EXPECT_ERROR(Read(Array<float>(DType::kFloat32, {2}, {0, 0.5f}), Task::kClasses), ErrorCode::kCorrupt,
                   "y: holds numbers that are not whole");
}

TEST(ReadLabelArray, TakesMasksOfWholeFloats) {
  const auto masks = Read(Array<float>(DType::kFloat32, {1, 1, 2}, {0, 1}));
  QAT_ASSERT_OK(masks);
  EXPECT_EQ(masks->values, (Values{0, 1}));
  EXPECT_EQ(masks->note, "whole numbers stored as float32 are taken as classes");
}

TEST(ReadLabelArray, LearnsIntegersWhereTheTaskSaysSo) {
  const auto numbers = Read(Array<int32_t>(DType::kInt32, {2, 2}, {1, 2, 3, 4}), Task::kNumbers);
  QAT_ASSERT_OK(numbers);
  EXPECT_EQ(numbers->targets, 2);
  EXPECT_EQ(numbers->numbers, (std::vector<float>{1, 2, 3, 4}));
}

TEST(ReadLabelArray, TakesText) {
  NpyArray array{DType::kString, {2}, {}, {"owl", "ant"}};
  EXPECT_EQ(Read(array)->texts, (std::vector<std::string>{"owl", "ant"}));
  array.shape = {1, 2};
  QAT_EXPECT_ERROR(Read(array), ErrorCode::kCorrupt, "y: shape [1, 2] of text, expected [count]");
}

}  // namespace
}  // namespace qat
