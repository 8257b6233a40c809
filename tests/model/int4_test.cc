// Constants of 4 bits: values worked out by hand. Against TFLite: tests/conformance.
#include <gtest/gtest.h>

#include "runtime/runnable_model.h"
#include "support/model_builder.h"
#include "support/run_model.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::ModelBuilder;
using testing::Quantized;

// 3 inputs, 1 unit, all scales 1: the sum of input times weight.
std::vector<uint8_t> DenseOf(const std::vector<int8_t>& weights) {
  ModelBuilder builder;
  const auto depth = static_cast<int32_t>(weights.size());
  const int32_t x = builder.AddTensor("x", {1, depth}, DType::kInt8, Quantized(1, 0));
  const int32_t filter = builder.AddInt4Constant("w", {1, depth}, weights, Quantized(1, 0));
  const int32_t y = builder.AddTensor("y", {1, 1}, DType::kInt8, Quantized(1, 0));
  builder.AddFullyConnected(x, filter, -1, y, Activation::kNone);
  return builder.Finish({x}, {y});
}

TEST(Int4, LiesTwoToAByteTheLowerHalfFirst) {
  auto model = RunnableFromBytes(DenseOf({-8, 7, -1}), "m.tflite");
  QAT_ASSERT_OK(model);
  const ModelTensor& filter = (*model)->tensors()[1];
  EXPECT_EQ(filter.type, DType::kInt8);
  EXPECT_EQ(filter.file_type, DType::kInt4);
  const auto* values = reinterpret_cast<const int8_t*>(filter.constant.data());
  EXPECT_EQ(std::vector<int8_t>(values, values + filter.constant.size()), (std::vector<int8_t>{-8, 7, -1}));
  EXPECT_EQ(testing::RunOn<int8_t>(*testing::Open(DenseOf({-8, 7, -1})), {1, 2, 3}),
            (std::vector<int8_t>{3}));
}

TEST(Int4, IsRefusedWhereABufferHasAnotherSize) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {1, 3}, DType::kInt8, Quantized(1, 0));
  const std::vector<uint8_t> three(3);
  const int32_t filter =
      builder.Add("w", {1, 3}, tflite::TensorType_INT4, Quantized(1, 0), builder.AddBuffer(&three));
  const int32_t y = builder.AddTensor("y", {1, 1}, DType::kInt8, Quantized(1, 0));
  builder.AddFullyConnected(x, filter, -1, y, Activation::kNone);
  QAT_EXPECT_ERROR(RunnableFromBytes(builder.Finish({x}, {y}), "m.tflite"), ErrorCode::kCorrupt,
                   "its buffer has 3 bytes, expected 2 for int4 [1, 3]");
}

TEST(Int4, IsNotComputed) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {1, 3}, DType::kFloat32);
  const int32_t y = builder.AddTensor("y", {1, 3}, DType::kInt4, Quantized(1, 0));
  builder.AddOperator(tflite::BuiltinOperator_QUANTIZE, {x}, {y});
  QAT_EXPECT_ERROR(RunnableFromBytes(builder.Finish({x}, {y}), "m.tflite"), ErrorCode::kUnsupported,
                   "computed tensor 'y' of type int4");
}

}  // namespace
}  // namespace qat
