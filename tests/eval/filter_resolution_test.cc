#include "eval/filter_resolution.h"
#include "runtime/runnable_model.h"

#include <gtest/gtest.h>

#include "support/model_builder.h"
#include "support/test_util.h"

namespace qat {
namespace {

// A depthwise filter [1, 1, 2, 3] and a fully connected one [2, 3], on the same input.
std::shared_ptr<const Model> TwoLayers(const testing::TensorQuantization& depthwise_quantization) {
  testing::ModelBuilder builder;
  const auto activation = testing::Quantized(0.5f, 128);
  const int32_t image = builder.AddTensor("image", {1, 1, 2, 3}, DType::kUInt8, activation);
  const int32_t filter = builder.AddConstant<uint8_t>("depthwise/filter", {1, 1, 2, 3},
                                                      {128, 140, 0, 129, 120, 255}, depthwise_quantization);
  const int32_t bias =
      builder.AddConstant<int32_t>("depthwise/bias", {3}, {0, 0, 0}, testing::Quantized(0.05f, 0));
  const int32_t depthwise = builder.AddTensor("depthwise", {1, 1, 1, 3}, DType::kUInt8, activation);
  builder.AddOperator(
      tflite::BuiltinOperator_DEPTHWISE_CONV_2D, {image, filter, bias}, {depthwise},
      tflite::BuiltinOptions_DepthwiseConv2DOptions,
      tflite::CreateDepthwiseConv2DOptions(builder.fbb, tflite::Padding_VALID, 1, 1, 1).Union());
  const int32_t weights = builder.AddConstant<uint8_t>("units/filter", {2, 3}, {100, 100, 100, 100, 117, 100},
                                                       testing::Quantized(0.1f, 100));
  const int32_t units = builder.AddTensor("units", {1, 2}, DType::kUInt8, activation);
  builder.AddOperator(tflite::BuiltinOperator_FULLY_CONNECTED, {depthwise, weights, -1}, {units},
                      tflite::BuiltinOptions_FullyConnectedOptions,
                      tflite::CreateFullyConnectedOptions(builder.fbb).Union());
  auto model = RunnableFromBytes(builder.Finish({image}, {units}), "two layers");
  EXPECT_TRUE(model.ok()) << model.error().message;
  return *model;
}

TEST(FilterResolution, CountsStepsFromZeroAlongTheOutputChannels) {
  const auto found = FilterResolutionsOf(*TwoLayers(testing::Quantized(0.1f, 128)));
  ASSERT_EQ(found.size(), 2u);
  const FilterResolution& depthwise = found.at("depthwise");  // channels {128, 129}, {140, 120}, {0, 255}
  EXPECT_EQ(depthwise.channels, 3);
  EXPECT_EQ(depthwise.coarse_channels, 2);
  EXPECT_EQ(depthwise.least_steps, 1);
  const FilterResolution& units = found.at("units");  // rows {100, 100, 100}, {100, 117, 100}
  EXPECT_EQ(units.channels, 2);
  EXPECT_EQ(units.coarse_channels, 1);
  EXPECT_EQ(units.least_steps, 0);
}

}  // namespace
}  // namespace qat
