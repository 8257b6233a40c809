#include "onnx/wire.h"

#include <gtest/gtest.h>

#include "support/onnx_file.h"

namespace qat::onnx {
namespace {

using testing::ProtoMessage;

std::vector<uint8_t> BytesOf(const ProtoMessage& message) {
  return {message.bytes().begin(), message.bytes().end()};
}

std::string ErrorOf(const std::vector<uint8_t>& bytes) {
  WireReader reader(bytes);
  WireField field;
  while (true) {
    const auto more = reader.Next(field);
    if (!more.ok()) return more.error().message;
    if (!*more) return "";
  }
}

TEST(WireReader, GivesEveryFieldOnce) {
  const auto bytes = BytesOf(ProtoMessage().Integer(1, 300).Text(9, "abc").Float(2, 0.5f).Integer(3, -1));
  WireReader reader(bytes);
  WireField field;
  ASSERT_TRUE(*reader.Next(field));
  EXPECT_EQ(field.number, 1u);
  EXPECT_EQ(field.integer(), 300);
  ASSERT_TRUE(*reader.Next(field));
  EXPECT_EQ(field.number, 9u);
  EXPECT_EQ(field.text(), "abc");
  ASSERT_TRUE(*reader.Next(field));
  EXPECT_EQ(field.real(), 0.5f);
  ASSERT_TRUE(*reader.Next(field));
  EXPECT_EQ(field.integer(), -1);
  EXPECT_FALSE(*reader.Next(field));
}

TEST(WireReader, StopsAtWhatEndsBeyondItsMessage) {
  EXPECT_NE(ErrorOf({0x0a, 0x05, 'a'}).find("ends beyond its message"),
            std::string::npos);  // a text of 5 bytes
  EXPECT_NE(ErrorOf({0x08, 0x80}).find("ends beyond its message"),
            std::string::npos);  // a number that goes on
  EXPECT_NE(ErrorOf({0x0d, 0, 0}).find("ends beyond its message"), std::string::npos);  // four bytes
  EXPECT_NE(ErrorOf({0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}).find("ends"),
            std::string::npos);
}

TEST(WireReader, RefusesWhatNoMessageHas) {
  EXPECT_NE(ErrorOf({0x0b}).find("wire type 3"), std::string::npos);
  EXPECT_NE(ErrorOf({0x00, 0x00}).find("no number"), std::string::npos);
  EXPECT_NE(
      ErrorOf({0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}).find("ten bytes"),
      std::string::npos);
}

TEST(WireReader, ReadsPackedNumbersAsSingleOnes) {
  std::vector<int64_t> integers;
  const std::string packed = {'\x01', '\xac', '\x02'};  // 1, 300
  const auto bytes = BytesOf(ProtoMessage().Text(1, packed).Integer(1, 7));
  WireReader reader(bytes);
  WireField field;
  while (*reader.Next(field)) ASSERT_TRUE(AppendIntegers(field, integers).ok());
  EXPECT_EQ(integers, (std::vector<int64_t>{1, 300, 7}));
  std::vector<float> floats;
  WireField three;
  const std::vector<uint8_t> odd = {0, 0, 0};
  three.number = 4;
  three.type = WireType::kBytes;
  three.bytes = odd;
  EXPECT_FALSE(AppendFloats(three, floats).ok());
  three.bytes = std::span<const uint8_t>(odd).first(1);
  std::vector<int64_t> more;
  EXPECT_TRUE(AppendIntegers(three, more).ok());
  const std::vector<uint8_t> endless = {0x80};
  three.bytes = endless;
  EXPECT_FALSE(AppendIntegers(three, more).ok());
}

}  // namespace
}  // namespace qat::onnx
