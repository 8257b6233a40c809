#include "base/envelope.h"

#include <gtest/gtest.h>

#include "base/file_kind.h"
#include "base/hash.h"
#include "support/test_util.h"

namespace qat {
namespace {

const Bytes kPayload = {'h', 'e', 'l', 'l', 'o'};

Bytes Sealed() { return SealEnvelope(kGraphIdentifier, 3, kPayload); }

Expected<std::span<const uint8_t>> Open(std::span<const uint8_t> bytes, uint32_t version = 3) {
  return OpenEnvelope(bytes, kGraphIdentifier, version, "a.qgraph");
}

TEST(Envelope, HasTheDocumentedBytes) {
  const Bytes bytes = Sealed();
  ASSERT_EQ(bytes.size(), 85u);
  const std::string text(bytes.begin(), bytes.end());
  EXPECT_EQ(text.substr(0, 16), std::string("\x03\0\0\0QGR1\x05\0\0\0\0\0\0\0", 16));
  // printf hello | sha256sum
  EXPECT_EQ(text.substr(16, 64), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
  EXPECT_EQ(text.substr(80), "hello");
}

TEST(Envelope, GivesThePayloadBack) {
  const Bytes bytes = Sealed();
  const auto payload = Open(bytes);
  QAT_ASSERT_OK(payload);
  EXPECT_EQ(Bytes(payload->begin(), payload->end()), kPayload);
}

TEST(Envelope, ReadsOlderVersionsAndRefusesNewerOnesWithBothNumbers) {
  const Bytes bytes = Sealed();
  EXPECT_TRUE(Open(bytes, 4).ok());
  QAT_EXPECT_ERROR(Open(bytes, 2), ErrorCode::kUnsupported,
                   "a.qgraph: has format version 3, this build reads up to 2");
}

TEST(Envelope, NamesAnotherKindOfFile) {
  QAT_EXPECT_ERROR(OpenEnvelope(Sealed(), kCheckpointIdentifier, 3, "x"), ErrorCode::kCorrupt,
                   "x: is a frozen graph (.qgraph), expected a checkpoint");
}

TEST(Envelope, RefusesEveryTruncation) {
  const Bytes bytes = Sealed();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Open(std::span(bytes).first(size)).ok()) << size;
  }
}

TEST(Envelope, RefusesBytesAfterTheEnd) {
  Bytes bytes = Sealed();
  bytes.push_back(0);
  QAT_EXPECT_ERROR(Open(bytes), ErrorCode::kCorrupt, "has extra bytes after its end");
}

TEST(Envelope, RefusesEveryFlippedBit) {
  const Bytes bytes = Sealed();
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    // Version 2 and 1 stand for older files of the same content: nothing to refuse.
    if (bit == 0 || bit == 1) continue;
    Bytes damaged = bytes;
    damaged[bit / 8] = static_cast<uint8_t>(damaged[bit / 8] ^ (1u << (bit % 8)));
    EXPECT_FALSE(Open(damaged).ok()) << "bit " << bit;
  }
}

}  // namespace
}  // namespace qat
