// Float layers with 8-bit filters: values worked out by hand. Against TFLite: tests/conformance.
#include <gtest/gtest.h>

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
