#include "train/events/record_file.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string_view>

namespace qat {
namespace {

Bytes BytesOf(std::string_view text) { return Bytes(text.begin(), text.end()); }

TEST(Crc32c, EqualsThePublishedValues) {
  Bytes rising(32);
  std::iota(rising.begin(), rising.end(), uint8_t{0});
  EXPECT_EQ(Crc32c(Bytes(32, 0)), 0x8a9136aau);     // RFC 3720, B.4
  EXPECT_EQ(Crc32c(Bytes(32, 0xff)), 0x62a8ab43u);  // RFC 3720, B.4
  EXPECT_EQ(Crc32c(rising), 0x46dd794eu);           // RFC 3720, B.4
  EXPECT_EQ(Crc32c(BytesOf("123456789")), 0xe3069283u);
}

TEST(NextRecord, GivesBackWhatWasAppendedAndStopsAtTheEnd) {
  Bytes file;
  AppendRecord(file, BytesOf("first"));
  AppendRecord(file, {});
  AppendRecord(file, BytesOf("third"));
  EXPECT_EQ(file.size(), 3u * 16 + 10);
  size_t offset = 0;
  for (const std::string_view expected : {"first", "", "third"}) {
    const auto payload = NextRecord(file, offset);
    ASSERT_TRUE(payload.has_value());
    EXPECT_EQ(std::string(payload->begin(), payload->end()), expected);
  }
  EXPECT_FALSE(NextRecord(file, offset).has_value());
  EXPECT_EQ(offset, file.size());
}

TEST(NextRecord, RefusesEveryCutAndEveryFlippedBit) {
  Bytes file;
  AppendRecord(file, BytesOf("payload"));
  for (size_t size = 0; size < file.size(); ++size) {
    size_t offset = 0;
    EXPECT_FALSE(NextRecord(std::span(file).first(size), offset).has_value()) << size;
  }
  for (size_t bit = 0; bit < file.size() * 8; ++bit) {
    Bytes damaged = file;
    damaged[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    size_t offset = 0;
    EXPECT_FALSE(NextRecord(damaged, offset).has_value()) << bit;
    EXPECT_EQ(offset, 0u);
  }
}

}  // namespace
}  // namespace qat
