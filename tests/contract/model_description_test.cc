#include "contract/model_description.h"

#include <gtest/gtest.h>

#include "support/test_util.h"

namespace qat {
namespace {

ModelDescription Sample() {
  ModelDescription description;
  description.name = "net";
  TensorDescription input;
  input.name = "image";
  input.colors = ColorSpace::kRgb;
  input.mean = {1, 2, 3};
  input.std = {4, 5, 6};
  input.min = {-1};
  input.max = {1};
  TensorDescription scores;
  scores.name = "scores";
  scores.labels = LabelUse::kAxis;
  scores.label_file = "names.txt";
  TensorDescription index;
  index.name = "index";
  index.labels = LabelUse::kValue;
  index.label_file = "ids.txt";
  index.display_file = "names.txt";  // as a second file, in English
  description.inputs = {input};
  description.outputs = {scores, index};
  return description;
}

TEST(ModelDescription, ComesBackAsItWasWritten) {
  const auto read = ParseModelDescription(Serialize(Sample()));
  QAT_ASSERT_OK(read);
  ASSERT_TRUE(read->has_value());
  EXPECT_EQ(**read, Sample());
}

TEST(ModelDescription, HasTheSameBytesWrittenTwice) { EXPECT_EQ(Serialize(Sample()), Serialize(Sample())); }

TEST(ModelDescription, IsNothingInAnotherVersionOfTheFormat) {
  std::vector<uint8_t> bytes = Serialize(Sample());
  bytes[7] = '2';  // M002
  const auto read = ParseModelDescription(bytes);
  QAT_ASSERT_OK(read);
  EXPECT_FALSE(read->has_value());
}

TEST(ModelDescription, RefusesDamagedTables) {
  std::vector<uint8_t> bytes = Serialize(Sample());
  QAT_EXPECT_ERROR(ParseModelDescription(std::span(bytes).first(7)), ErrorCode::kCorrupt, "has 7 bytes");
  QAT_EXPECT_ERROR(ParseModelDescription(std::span(bytes).first(bytes.size() / 2)), ErrorCode::kCorrupt,
                   "damaged or cut off");
}

TEST(LabelFile, HasOneLabelPerLine) {
  const std::vector<std::string> labels = {"a b", "", "c\nd", "é"};
  EXPECT_EQ(LabelFileText(labels), "a b\n\nc d\né\n");
  EXPECT_EQ(ParseLabelFile("a b\n\nc d\né\n"), (std::vector<std::string>{"a b", "", "c d", "é"}));
}

TEST(LabelFile, MayEndWithoutALineEndAndHaveThoseOfWindows) {
  EXPECT_EQ(ParseLabelFile("x\r\ny"), (std::vector<std::string>{"x", "y"}));
  EXPECT_TRUE(ParseLabelFile("").empty());
}

}  // namespace
}  // namespace qat
