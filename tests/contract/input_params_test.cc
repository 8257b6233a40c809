#include "contract/input_params.h"

#include <gtest/gtest.h>

namespace qat {
namespace {

TEST(InputParams, PassBytesStraightThroughWhereThatIsExact) {
  InputContract c{28, 28, 1, {0.0f}, {255.0f}};
  EXPECT_EQ(InputParams(c, Scheme::kUInt8), (QuantizationParams{1.0f / 255, 0}));
  c.mean = {128};
  c.std = {128};
  EXPECT_EQ(InputParams(c, Scheme::kUInt8), (QuantizationParams{1.0f / 128, 128}));
  // Every byte is its own quantized value.
  const QuantizationParams params = InputParams(c, Scheme::kUInt8);
  const RealTable table = MakeRealTable(c);
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_EQ(QuantizeActivation(table[0][static_cast<size_t>(byte)], params, kUInt8Limits), byte);
  }
}

TEST(InputParams, OfRealsHoldTheRangeThatTrainingSaw) {
  InputContract c{1, 10, 2, {5, 7}, {2, 3}, ValueType::kReal};
  c.low = -1.5f;
  c.high = 3.6f;
  const QuantizationParams params = InputParams(c, Scheme::kInt8);
  EXPECT_NEAR(params.scale, 5.1 / 255, 1e-7);
  EXPECT_EQ(params.zero_point, 75 - 128);  // 1.5 / 0.02
  EXPECT_FALSE(BytesPassThrough(c));
}

// Ranges that were made up have to be on some grid.
TEST(InputParams, OfRealsThatNobodyMeasuredAreThoseOfMinusOneToOne) {
  InputContract unknown{1, 10, 2, {5, 7}, {2, 3}, ValueType::kReal}, known = unknown;
  known.low = -1;
  known.high = 1;
  EXPECT_EQ(RealRangeOf(unknown), (Range{-1, 1}));
  for (const Scheme scheme : {Scheme::kUInt8, Scheme::kInt8})
    EXPECT_EQ(InputParams(unknown, scheme), InputParams(known, scheme));
}

// float32(2) / 255 is a little more than 2 / 255, so the zero point is a little under -0.5: TFLite's
// converter has -1, too.
TEST(InputParams, OfRealsAreNudgedAsTflitesConverterDoesIt) {
  InputContract c{32, 32, 3, {0}, {1}, ValueType::kReal};
  c.low = -1;
  c.high = 1;
  EXPECT_EQ(InputParams(c, Scheme::kInt8), (QuantizationParams{2.0f / 255, -1}));
  EXPECT_EQ(InputParams(c, Scheme::kUInt8), (QuantizationParams{2.0f / 255, 127}));
}

TEST(InputParams, CoverTheUnionOfChannelsOtherwise) {
  const InputContract c{32, 32, 3, {125.5f, 123, 114}, {63, 62, 66.7f}};
  const QuantizationParams params = InputParams(c, Scheme::kUInt8);
  const Range held = RepresentableRange(params, kUInt8Limits);
  for (const auto& channel : MakeRealTable(c)) {
    EXPECT_GE(channel[0], held.min - params.scale / 2);
    EXPECT_LE(channel[255], held.max + params.scale / 2);
  }
  // int8 is the same grid, 128 lower.
  EXPECT_EQ(InputParams(c, Scheme::kInt8), (QuantizationParams{params.scale, params.zero_point - 128}));
  // No wider than needed: the extremes are -125.5 / 63 and 132 / 62.
  EXPECT_NEAR(params.scale, (132.0 / 62 + 125.5 / 63) / 255, 1e-7);
}

}  // namespace
}  // namespace qat
