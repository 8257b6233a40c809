#include "base/packed.h"

#include <gtest/gtest.h>

#include <array>

namespace qat {
namespace {

using Bytes = std::vector<uint8_t>;

TEST(Packed, GivesBackEachPartOfEveryExample) {
  const std::vector<Bytes> parts = {{1, 2, 3, 4}, {10, 20}, {7, 8, 9, 70, 80, 90}};
  const std::array<int64_t, 3> sizes = {2, 1, 3};
  const Bytes examples = Packed(parts, sizes);
  EXPECT_EQ(examples, (Bytes{1, 2, 10, 7, 8, 9, 3, 4, 20, 70, 80, 90}));
  Bytes copy;
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto part = PartOf(examples, sizes, i, copy);
    EXPECT_EQ(Bytes(part.begin(), part.end()), parts[i]) << i;
  }
}

TEST(Packed, ASinglePartIsTheExamplesThemselves) {
  const Bytes examples = {1, 2, 3, 4};
  const std::array<int64_t, 1> size = {2};
  Bytes copy;
  EXPECT_EQ(PartOf(examples, size, 0, copy).data(), examples.data());
  EXPECT_TRUE(copy.empty());
}

}  // namespace
}  // namespace qat
