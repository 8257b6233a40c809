// Float layers with 8-bit filters: values worked out by hand. Against TFLite: tests/conformance.
#include <gtest/gtest.h>

#include <cmath>

#include "runtime/kernels/reference/quantize_example.h"
#include "support/model_builder.h"
#include "support/run_model.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::ModelBuilder;
using testing::Open;
using testing::RunOn;

TEST(QuantizeExample, KeepsTheLargestValueAndZero) {
  const std::vector<float> values = {-1, 0, 0.5f, 3};
  std::vector<int8_t> quantized(values.size());
  EXPECT_EQ(reference::QuantizeSymmetric(4, values.data(), quantized.data()),
            (QuantizationParams{3.0f / 127, 0}));
  EXPECT_EQ(quantized, (std::vector<int8_t>{-42, 0, 21, 127}));
  const QuantizationParams params = reference::QuantizeAsymmetric(4, values.data(), quantized.data());
  EXPECT_EQ(params, (QuantizationParams{4.0f / 255, -64}));
  EXPECT_EQ(quantized, (std::vector<int8_t>{-128, -64, -32, 127}));
}

// What shipped TFLite does and its portable routine does not: float32 ranges, and groups of 8 rounded by
// adding 0.5.
TEST(QuantizeExample, RoundsGroupsOfEightAsTheVectorRoutine) {
  const float below_half = std::nextafter(0.5f, 0.0f);
  const std::vector<float> values = {127,   below_half, -below_half, 0.5f,       1.5f,
                                     -1.5f, 2.5f,       0,           below_half, -2.5f};
  std::vector<int8_t> quantized(values.size());
  EXPECT_EQ(reference::QuantizeSymmetric(10, values.data(), quantized.data()), (QuantizationParams{1, 0}));
  EXPECT_EQ(quantized, (std::vector<int8_t>{127, 1, -1, 1, 2, -2, 3, 0, 0, -3}));
  reference::QuantizeSymmetric(7, values.data(), quantized.data());
  EXPECT_EQ(quantized[1], 0) << "seven are no group";
}

TEST(QuantizeExample, TakesTheDistanceOfARangeInFloat32) {
  const std::vector<float> values = {-1, 6e-8f};  // 1.00000012 apart in float32, 1.00000006 in double
  std::vector<int8_t> quantized(values.size());
  const QuantizationParams params = reference::QuantizeAsymmetric(2, values.data(), quantized.data());
  EXPECT_EQ(params.scale, static_cast<float>(static_cast<double>(std::nextafter(1.0f, 2.0f)) / 255));
}

// Rounded first, then moved: 0.5 steps from a zero point of -1 are 0, not -1.
TEST(QuantizeExample, RoundsBeforeItAddsTheZeroPoint) {
  const std::vector<float> values = {-127, 128, 0.5f, -0.5f};
  std::vector<int8_t> quantized(values.size());
  EXPECT_EQ(reference::QuantizeAsymmetric(4, values.data(), quantized.data()), (QuantizationParams{1, -1}));
  EXPECT_EQ(quantized, (std::vector<int8_t>{-128, 127, 0, -2}));
}

// The sum times the channel's scale, then times the input's: in the other order the last bit is another.
TEST(Hybrid, ConvolutionMultipliesByTheScaleOfTheChannelFirst) {
  constexpr float kScale = 0.0123f;
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {1, 1, 1, 2}, DType::kFloat32);
  const int32_t filter =
      builder.AddConstant<int8_t>("filter", {2, 1, 1, 2}, {101, 3, 7, -9}, {{kScale, 0.25f}, {0, 0}, 0});
  const int32_t bias = builder.AddConstant<float>("bias", {2}, {0, 0});
  const int32_t y = builder.AddTensor("y", {1, 1, 1, 2}, DType::kFloat32);
  builder.AddConv2D(x, filter, bias, y, {});
  const auto interpreter = Open(builder.Finish({x}, {y}));
  ASSERT_NE(interpreter, nullptr);
  int differ = 0;
  for (int i = 1; i <= 50; ++i) {
    const std::vector<float> input = {0.37f * static_cast<float>(i), -0.11f};
    std::vector<int8_t> quantized(2);
    const QuantizationParams params = reference::QuantizeAsymmetric(2, input.data(), quantized.data());
    const auto sum =
        static_cast<float>((quantized[0] - params.zero_point) * 101 + (quantized[1] - params.zero_point) * 3);
    EXPECT_EQ(RunOn<float>(*interpreter, input)[0], sum * kScale * params.scale);
    differ += sum * kScale * params.scale != sum * (kScale * params.scale);
  }
  EXPECT_GT(differ, 0) << "the order shows";
}

// 2 rows, 2 units: float input, int8 filter with a scale for each unit.
TEST(Hybrid, SumsIntegersAndGivesReals) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {2, 2}, DType::kFloat32);
  const int32_t filter =
      builder.AddConstant<int8_t>("filter", {2, 2}, {127, 0, 64, -64}, {{0.5f, 0.25f}, {0, 0}, 0});
  const int32_t bias = builder.AddConstant<float>("bias", {2}, {1, 2});
  const int32_t y = builder.AddTensor("y", {2, 2}, DType::kFloat32);
  builder.AddFullyConnected(x, filter, bias, y, Activation::kNone);
  const auto interpreter = Open(builder.Finish({x}, {y}));
  ASSERT_NE(interpreter, nullptr);
  const std::vector<float> output = RunOn<float>(*interpreter, {127, 0, 0, 0});
  ASSERT_EQ(output.size(), 4u);
  EXPECT_FLOAT_EQ(output[0], 127 * 127 * 0.5f + 1);
  EXPECT_FLOAT_EQ(output[1], 127 * 64 * 0.25f + 2);
  EXPECT_FLOAT_EQ(output[2], 1);
  EXPECT_FLOAT_EQ(output[3], 2);
}

}  // namespace
}  // namespace qat
