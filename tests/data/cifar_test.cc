#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "data/dataset.h"
#include "support/test_util.h"

namespace qat {
namespace {

// Records whose red plane counts up, whose green plane is 50 and whose blue plane is the number of the
// record.
class CifarDirectory : public ::testing::Test {
 protected:
  static Bytes Records(const std::vector<Bytes>& labels) {
    Bytes bytes;
    for (size_t n = 0; n < labels.size(); ++n) {
      bytes.insert(bytes.end(), labels[n].begin(), labels[n].end());
      for (int i = 0; i < 1024; ++i) bytes.push_back(static_cast<uint8_t>(i % 256));
      bytes.insert(bytes.end(), 1024, 50);
      bytes.insert(bytes.end(), 1024, static_cast<uint8_t>(n));
    }
    return bytes;
  }
  void Write(const std::string& name, const Bytes& bytes) { ASSERT_TRUE(WriteFile(dir_ / name, bytes).ok()); }
  Expected<Dataset> Open(Split split) { return OpenDataset(dir_.path(), split); }
  testing::TempDir dir_;
};

TEST_F(CifarDirectory, IsReadBatchAfterBatchWithPlanesTurnedIntoPixels) {
  Write("data_batch_2.bin", Records({{7}}));
  Write("data_batch_1.bin", Records({{3}, {9}}));
  Write("test_batch.bin", Records({{1}}));
  const auto train = Open(Split::kTrain);
  QAT_ASSERT_OK(train);
  EXPECT_EQ(train->labels, (std::vector<int32_t>{3, 9, 7}));
  EXPECT_EQ(train->input().height, 32);
  EXPECT_EQ(train->input().channels, 3);
  EXPECT_EQ(train->class_names.size(), 10u);
  const auto second = train->Image(1);
  EXPECT_EQ(Bytes(second.begin(), second.begin() + 6), (Bytes{0, 50, 1, 1, 50, 1}));
  EXPECT_EQ(Bytes(second.end() - 3, second.end()), (Bytes{255, 50, 1}));
  EXPECT_EQ(Open(Split::kTest)->labels, std::vector<int32_t>{1});
}

TEST_F(CifarDirectory, Of100ClassesHasTheFineLabels) {
  Write("train.bin", Records({{1, 99}, {19, 20}}));
  Write("test.bin", Records({{0, 5}}));
  EXPECT_EQ(Open(Split::kTrain)->labels, (std::vector<int32_t>{99, 20}));
  EXPECT_EQ(Open(Split::kTrain)->class_names.size(), 100u);
}

TEST_F(CifarDirectory, TakesClassNamesFromItsMetaFile) {
  Write("data_batch_1.bin", Records({{3}}));
  QAT_ASSERT_OK(WriteFile(dir_ / "batches.meta.txt", std::string_view("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n")));
  EXPECT_EQ(Open(Split::kTrain)->class_names[3], "d");
  QAT_ASSERT_OK(WriteFile(dir_ / "batches.meta.txt", std::string_view("a\nb\n")));
  QAT_EXPECT_ERROR(Open(Split::kTrain), ErrorCode::kCorrupt, "/batches.meta.txt: holds 2 names, expected 10");
}

TEST_F(CifarDirectory, WithoutATestFileKeepsATenthOfEveryClassForTesting) {
  std::vector<Bytes> labels;
  for (int i = 0; i < 40; ++i) labels.push_back({static_cast<uint8_t>(i % 2)});
  Write("data_batch_1.bin", Records(labels));
  const auto train = Open(Split::kTrain), test = Open(Split::kTest);
  QAT_ASSERT_OK(train);
  QAT_ASSERT_OK(test);
  EXPECT_EQ(train->size(), 36);
  EXPECT_EQ(std::count(test->labels.begin(), test->labels.end(), 1), 2);
  EXPECT_EQ(test->size(), 4);
  std::set<uint8_t> seen;  // the blue plane numbers the records
  for (const auto* part : {&*train, &*test}) {
    for (int64_t i = 0; i < part->size(); ++i) seen.insert(part->Image(i)[2]);
  }
  EXPECT_EQ(seen.size(), 40u) << "none twice, none left out";
  ASSERT_FALSE(test->notes.empty());
  EXPECT_NE(test->notes[0].find("a file named test_batch.bin makes another choice"), std::string::npos)
      << test->notes[0];
}

TEST_F(CifarDirectory, RefusesCutFilesAndWrongLabels) {
  Bytes records = Records({{3}, {10}});
  Write("data_batch_1.bin", records);
  QAT_EXPECT_ERROR(Open(Split::kTrain), ErrorCode::kCorrupt,
                   "/data_batch_1.bin: example 1: label 10, expected 0 to 9");
  records.pop_back();
  Write("data_batch_1.bin", records);
  QAT_EXPECT_ERROR(Open(Split::kTrain), ErrorCode::kCorrupt,
                   "/data_batch_1.bin: holds 6145 bytes, expected a multiple of 3073 (CIFAR-10");
  QAT_EXPECT_ERROR(Open(Split::kTest), ErrorCode::kCorrupt, "/data_batch_1.bin: holds 6145 bytes");
  std::filesystem::rename(dir_ / "data_batch_1.bin", dir_ / "test_batch.bin");
  QAT_EXPECT_ERROR(Open(Split::kTrain), ErrorCode::kNotFound,
                   "holds no training images of CIFAR-10, expected data_batch_1.bin");
}

}  // namespace
}  // namespace qat
