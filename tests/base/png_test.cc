#include "base/png.h"

#include <gtest/gtest.h>

#include <string>

namespace qat {
namespace {

std::string Encoded(const std::string& text) {
  return Base64({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

TEST(Base64, HasTheVectorsOfTheStandard) {
  EXPECT_EQ(Encoded(""), "");
  EXPECT_EQ(Encoded("f"), "Zg==");
  EXPECT_EQ(Encoded("fo"), "Zm8=");
  EXPECT_EQ(Encoded("foo"), "Zm9v");
  EXPECT_EQ(Encoded("foob"), "Zm9vYg==");
  EXPECT_EQ(Encoded("fooba"), "Zm9vYmE=");
  EXPECT_EQ(Encoded("foobar"), "Zm9vYmFy");
}

TEST(EncodePng, HasTheHeadOfTheStandardWithItsChecksum) {
  const uint8_t pixel[] = {200, 100, 50};
  const Bytes png = EncodePng(1, 1, 3, pixel);
  // Signature, IHDR of a 1x1 RGB picture and its CRC, as every encoder writes them.
  EXPECT_EQ(Base64(std::span(png).first(33)), "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1Pe");
}

}  // namespace
}  // namespace qat
