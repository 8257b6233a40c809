#include "quant/scheme.h"

#include <gtest/gtest.h>

namespace qat {
namespace {

TEST(Scheme, NamesComeBack) {
  for (const Scheme scheme : {Scheme::kFloat32, Scheme::kUInt8, Scheme::kInt8}) {
    EXPECT_EQ(SchemeFromName(NameOf(scheme)), scheme);
  }
  EXPECT_EQ(SchemeFromName("int4"), std::nullopt);
}

TEST(Scheme, Int8FiltersHaveTheZeroPointZero) {
  const QuantizationParams params =
      NudgedParams(FilterRangeOf({-0.3f, 2.54f}, Scheme::kInt8), FilterLimitsOf(Scheme::kInt8));
  EXPECT_EQ(params.zero_point, 0);
  EXPECT_FLOAT_EQ(params.scale, 0.02f);
  for (const float end : {0.0f, 1e-30f, 1e-9f, 126e-9f, 128e-9f}) {
    const auto tiny = NudgedParams(FilterRangeOf({0, end}, Scheme::kInt8), FilterLimitsOf(Scheme::kInt8));
    EXPECT_EQ(tiny.zero_point, 0) << end << ": kernels take no other";
  }
  EXPECT_EQ(FilterRangeOf({0.5f, 2}, Scheme::kUInt8), (Range{0, 2}));
}

// TFLite's specification for int8: softmax 1/256 at -128, tanh 1/128 at 0.
TEST(Scheme, FixedParametersMoveBy128) {
  EXPECT_EQ(FixedParamsOf({1.0f / 256, 0}, Scheme::kInt8).zero_point, -128);
  EXPECT_EQ(FixedParamsOf({1.0f / 128, 128}, Scheme::kInt8).zero_point, 0);
  EXPECT_EQ(FixedParamsOf({1.0f / 128, 128}, Scheme::kUInt8).zero_point, 128);
}

}  // namespace
}  // namespace qat
