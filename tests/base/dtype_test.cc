#include "base/dtype.h"

#include <gtest/gtest.h>

namespace qat {
namespace {

TEST(DType, IsNumberedAndSizedAsTflite) {
  // TensorType of TFLite's schema: number, bytes, name.
  const struct {
    int number;
    size_t size;
    const char* name;
  } kRows[] = {{0, 4, "float32"}, {1, 2, "float16"}, {2, 4, "int32"}, {3, 1, "uint8"}, {4, 8, "int64"},
               {5, 0, "string"},  {6, 1, "bool"},    {7, 2, "int16"}, {9, 1, "int8"},  {10, 8, "float64"}};
  for (const auto& row : kRows) {
    const auto type = static_cast<DType>(row.number);
    EXPECT_EQ(SizeOf(type), row.size) << row.name;
    EXPECT_EQ(NameOf(type), row.name);
  }
}

TEST(DType, NamesTypesOfFilesThatItHasNoSizeOf) {
  const struct {
    int number;
    const char* name;
  } kRows[] = {{8, "complex64"},     {12, "uint64"},       {13, "resource"},    {15, "uint32"},
               {17, "int4"},         {20, "uint4"},        {22, "float8_e5m2"}, {23, "unknown type"},
               {-1, "unknown type"}, {127, "unknown type"}};
  for (const auto& row : kRows) {
    EXPECT_EQ(SizeOf(static_cast<DType>(row.number)), 0u);
    EXPECT_EQ(NameOf(static_cast<DType>(row.number)), row.name);
  }
}

TEST(DType, KnowsTheBitsOfWhatLiesPacked) {
  EXPECT_EQ(BitsOf(DType::kInt4), 4u);
  EXPECT_EQ(BitsOf(DType::kInt16), 16u);
  EXPECT_EQ(BitsOf(DType::kString), 0u);
}

TEST(DType, FollowsTheElementType) {
  EXPECT_EQ(SizeOf(DTypeOf<float>::value), sizeof(float));
  EXPECT_EQ(SizeOf(DTypeOf<int8_t>::value), sizeof(int8_t));
  EXPECT_EQ(SizeOf(DTypeOf<int64_t>::value), sizeof(int64_t));
  EXPECT_EQ(NameOf(DTypeOf<int16_t>::value), "int16");
}

}  // namespace
}  // namespace qat
