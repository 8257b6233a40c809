#include "base/file_kind.h"

#include "base/file.h"
#include "support/test_util.h"

namespace qat {
namespace {

Bytes BytesOf(std::string_view text) { return Bytes(text.begin(), text.end()); }

Bytes Identified(const std::string& identifier) { return BytesOf(std::string("\x1c\0\0\0", 4) + identifier); }

TEST(DescribeKind, KnowsOurFormatsAndWhatPeoplePassByMistake) {
  EXPECT_EQ(DescribeKind(Identified("TFL3")), "a .tflite model");
  EXPECT_EQ(DescribeKind(Identified("QGR1")), "a frozen graph (.qgraph)");
  EXPECT_EQ(DescribeKind(Identified("QCK1")), "a checkpoint");
  EXPECT_EQ(DescribeKind(Identified("QTS1")), "a trainer state");
  EXPECT_EQ(DescribeKind({}), "an empty file");
  EXPECT_EQ(DescribeKind(Bytes{0x1f, 0x8b, 8, 0}), "gzip data");
  EXPECT_EQ(DescribeKind(Bytes{0, 0, 8, 3, 0, 0}), "an IDX file");
  EXPECT_EQ(DescribeKind(BytesOf("[[layer]]\nname = \"conv1\"\n")), "a text file");
  EXPECT_EQ(DescribeKind(Bytes{0x80, 0x02, 'c', 0}), "a file of unknown kind");
}

TEST(DescribeKind, SevenBytesHoldNoIdentifier) {
  Bytes cut = Identified("TFL3");
  cut.pop_back();
  EXPECT_EQ(DescribeKind(cut), "a file of unknown kind");
  EXPECT_FALSE(ExpectKind(cut, kTfliteIdentifier, "m.tflite").ok());
}

TEST(ExpectKind, SaysWhatTheFileIsInstead) {
  QAT_ASSERT_OK(ExpectKind(Identified("TFL3"), kTfliteIdentifier, "m.tflite"));
  const Status wrong = ExpectKind(Identified("QCK1"), kTfliteIdentifier, "m.tflite");
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(wrong.error().message, "m.tflite: is a checkpoint, expected a .tflite model");
}

}  // namespace
}  // namespace qat
