#include "runtime/model_predictor.h"
#include "runtime/runnable_model.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/model_builder.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::ModelBuilder;
using testing::Quantized;
using testing::TensorQuantization;

// A model whose output is its input, flattened: shows what the predictor feeds.
std::shared_ptr<const Model> Echo(DType type, const TensorQuantization& quantization,
                                  const Contract* contract, const Shape& shape = {1, 1, 2, 2}) {
  ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", shape, type, quantization);
  const int32_t output = builder.AddTensor("y", {1, 4}, type, quantization);
  builder.AddReshape(input, {1, 4}, output);
  if (contract != nullptr) builder.metadata[kContractMetadataName] = Serialize(*contract);
  auto model = RunnableFromBytes(builder.Finish({input}, {output}), "echo.tflite");
  EXPECT_TRUE(model.ok());
  return *model;
}

Expected<std::unique_ptr<Predictor>> Make(std::shared_ptr<const Model> model,
                                          const Contract* fallback = nullptr) {
  return MakeModelPredictor(std::move(model), "echo", "tflite", {}, fallback);
}

// Pixels of two channels, each with its own mean and std.
const Contract kContract = {1, 2, 2, {0, 100}, {255, 50}, {}};
const std::vector<uint8_t> kImage = {255, 150, 51, 100};

TEST(ModelPredictor, FeedsRealNumbersPerChannelToAFloatModel) {
  const auto predictor = Make(Echo(DType::kFloat32, {}, &kContract));
  QAT_ASSERT_OK(predictor);
  const auto predictions = (*predictor)->Predict(kImage, 1);
  QAT_ASSERT_OK(predictions);
  EXPECT_EQ(predictions->scores, (std::vector<float>{1, 1, 0.2f, 0}));
  EXPECT_EQ(predictions->labels, std::vector<int32_t>{0}) << "the first of equal scores";
  EXPECT_EQ(predictions->classes, 4);
  EXPECT_EQ(predictions->step, 0);
  EXPECT_EQ((*predictor)->type(), "float32");
}

TEST(ModelPredictor, QuantizesThroughTheContractAndReturnsRealScores) {
  // real 1, 1, 0.2, 0 at scale 0.25 and zero point 3: steps 7, 7, round(0.8) + 3, 3.
  const auto predictor = Make(Echo(DType::kUInt8, Quantized(0.25f, 3), &kContract));
  QAT_ASSERT_OK(predictor);
  const auto predictions = (*predictor)->Predict(kImage, 1);
  QAT_ASSERT_OK(predictions);
  EXPECT_EQ(predictions->scores, (std::vector<float>{1, 1, 0.25f, 0}));
  EXPECT_EQ(predictions->step, 0.25f);
  EXPECT_EQ((*predictor)->type(), "uint8");
}

TEST(ModelPredictor, FeedsInt8Inputs) {
  const auto predictor = Make(Echo(DType::kInt8, Quantized(0.25f, -128), &kContract));
  QAT_ASSERT_OK(predictor);
  const auto predictions = (*predictor)->Predict(kImage, 1);
  QAT_ASSERT_OK(predictions);
  EXPECT_EQ(predictions->scores, (std::vector<float>{1, 1, 0.25f, 0}));
  EXPECT_EQ((*predictor)->type(), "int8");
}

// A row of the report is float or integers by what its layers compute with.
TEST(WorkTypeOf, LooksBehindTheTypeThatComesIn) {
  for (const bool integers : {false, true}) {
    ModelBuilder builder;
    const Shape shape = {1, 4};
    const TensorQuantization quantized = Quantized(0.25f, -128);
    const DType outside = integers ? DType::kFloat32 : DType::kInt8,
                inside = integers ? DType::kInt8 : DType::kFloat32;
    const int32_t x = builder.AddTensor("x", shape, outside, integers ? TensorQuantization() : quantized);
    const int32_t moved =
        builder.AddTensor("moved", shape, inside, integers ? quantized : TensorQuantization());
    const int32_t y = builder.AddTensor("y", {4, 1}, inside, integers ? quantized : TensorQuantization());
    builder.AddOperator(integers ? tflite::BuiltinOperator_QUANTIZE : tflite::BuiltinOperator_DEQUANTIZE, {x},
                        {moved});
    builder.AddReshape(moved, {4, 1}, y);
    const auto model = RunnableFromBytes(builder.Finish({x}, {y}), "m.tflite");
    QAT_ASSERT_OK(model);
    EXPECT_EQ(WorkTypeOf(**model), integers ? "int8" : "float32");
  }
}

TEST(ModelPredictor, PassesBytesThroughWhereTheInputScaleUndoesTheContract) {
  for (const auto& [mean, std] : {std::pair{0.0f, 255.0f}, {128.0f, 127.0f}, {127.0f, 64.5f}, {3.0f, 0.7f}}) {
    const Contract contract = {1, 64, 4, {mean, mean, mean, mean}, {std, std, std, std}, {}};
    ModelBuilder builder;
    const auto quantization = Quantized(1 / std, static_cast<int64_t>(mean));
    const int32_t input = builder.AddTensor("x", {1, 1, 64, 4}, DType::kUInt8, quantization);
    const int32_t output = builder.AddTensor("y", {1, 256}, DType::kUInt8, quantization);
    builder.AddReshape(input, {1, 256}, output);
    auto model = RunnableFromBytes(builder.Finish({input}, {output}), "all.tflite");
    const auto predictor = Make(*model, &contract);
    QAT_ASSERT_OK(predictor);
    std::vector<uint8_t> bytes(256);
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i);
    const auto predictions = (*predictor)->Predict(bytes, 1);
    QAT_ASSERT_OK(predictions);
    for (size_t i = 0; i < bytes.size(); ++i) {
      EXPECT_EQ(std::lround(predictions->scores[i] * std + mean), static_cast<long>(i)) << mean << " " << std;
    }
  }
}

TEST(ModelPredictor, UsesTheInputScaleOfAModelWithoutContract) {
  const auto predictor = Make(Echo(DType::kUInt8, Quantized(0.5f, 10), nullptr));
  QAT_ASSERT_OK(predictor);
  EXPECT_EQ((*predictor)->contract(), (Contract{1, 2, 2, {10, 10}, {2, 2}, {}}));
  const auto predictions = (*predictor)->Predict(kImage, 1);
  QAT_ASSERT_OK(predictions);
  EXPECT_EQ(predictions->scores, (std::vector<float>{122.5f, 70, 20.5f, 45}));
}

TEST(ModelPredictor, TakesBytesLess128IntoAnInt8InputWithoutContract) {
  const auto predictor = Make(Echo(DType::kInt8, Quantized(0.5f, -1), nullptr));
  QAT_ASSERT_OK(predictor);
  const auto predictions = (*predictor)->Predict(std::vector<uint8_t>{0, 127, 128, 255}, 1);
  QAT_ASSERT_OK(predictions);
  EXPECT_EQ(predictions->scores, (std::vector<float>{-63.5f, 0, 0.5f, 64}));
}

TEST(ModelPredictor, AsksForAContractWhereBytesMeanNothing) {
  QAT_EXPECT_ERROR(Make(Echo(DType::kFloat32, {}, nullptr)), ErrorCode::kCorrupt,
                   "echo.tflite: has no input contract");
}

TEST(ModelPredictor, PrefersTheEmbeddedContractToTheFallback) {
  const Contract other = {1, 2, 2, {0, 0}, {1, 1}, {}};
  const auto predictor = Make(Echo(DType::kFloat32, {}, &kContract), &other);
  QAT_ASSERT_OK(predictor);
  EXPECT_EQ((*predictor)->contract(), kContract);
}

TEST(ModelPredictor, RefusesAContractOfAnotherSize) {
  const Contract other = {4, 4, 1, {0}, {1}, {}};
  QAT_EXPECT_ERROR(Make(Echo(DType::kFloat32, {}, &other)), ErrorCode::kCorrupt,
                   "echo.tflite: input 'x' is [1, 1, 2, 2], the input contract says [1, 4, 4, 1]");
}

TEST(ModelPredictor, RefusesAnInputThatIsNoImage) {
  QAT_EXPECT_ERROR(Make(Echo(DType::kFloat32, {}, nullptr, {2, 2})), ErrorCode::kUnsupported,
                   "echo.tflite: input 'x' is [2, 2], a fixed batch of 2, expected one example at a time");
}

TEST(ModelPredictor, ChecksTheNumberOfBytes) {
  const auto predictor = Make(Echo(DType::kFloat32, {}, &kContract));
  QAT_ASSERT_OK(predictor);
  QAT_EXPECT_ERROR((*predictor)->Predict(kImage, 2), ErrorCode::kInvalidArgument,
                   "4 bytes, expected 2 images of 4");
  QAT_EXPECT_ERROR((*predictor)->Load(std::span(kImage).first(3)), ErrorCode::kInvalidArgument, "3 bytes");
}

TEST(ModelPredictor, TakesLabelsFromAnArgmaxModel) {
  for (const DType type : {DType::kInt32, DType::kInt64}) {
    ModelBuilder builder;
    const int32_t input = builder.AddTensor("x", {1, 1, 1, 4}, DType::kUInt8, Quantized(1, 0));
    const int32_t flat = builder.AddTensor("flat", {1, 4}, DType::kUInt8, Quantized(1, 0));
    const int32_t output = builder.AddTensor("label", {1}, type);
    builder.AddReshape(input, {1, 4}, flat);
    builder.AddArgMax(flat, -1, output, type);
    auto model = RunnableFromBytes(builder.Finish({input}, {output}), "argmax.tflite");
    QAT_ASSERT_OK(model);
    const auto predictor = Make(*model);
    QAT_ASSERT_OK(predictor);
    const auto predictions = (*predictor)->Predict(std::vector<uint8_t>{1, 2, 9, 3, 8, 1, 1, 1}, 2);
    QAT_ASSERT_OK(predictions);
    EXPECT_EQ(predictions->labels, (std::vector<int32_t>{2, 0}));
    EXPECT_EQ(predictions->classes, 0);
    EXPECT_TRUE(predictions->scores.empty());
  }
}

TEST(ModelPredictor, ReportsOutputsThatAreNotNumbers) {
  ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 1, 2, 2}, DType::kFloat32);
  const int32_t output = builder.AddTensor("y", {1, 1}, DType::kFloat32);
  const int32_t filter = builder.AddConstant<float>("w", {1, 4}, {NAN, 0, 0, 0});
  builder.AddFullyConnected(input, filter, -1, output, Activation::kNone);
  builder.metadata[kContractMetadataName] = Serialize(kContract);
  auto model = RunnableFromBytes(builder.Finish({input}, {output}), "nan.tflite");
  QAT_ASSERT_OK(model);
  const auto predictor = Make(*model);
  QAT_ASSERT_OK(predictor);
  QAT_EXPECT_ERROR((*predictor)->Predict(kImage, 1), ErrorCode::kNumerical,
                   "echo: image 0: output 0 is not a number");
}

// A stranger's model whose input is no picture takes real numbers, quantized by its own scale.
TEST(ModelPredictor, TakesRealNumbersWhereTheInputIsNoPicture) {
  for (const DType type : {DType::kFloat32, DType::kInt8}) {
    ModelBuilder builder;
    const TensorQuantization quantization = type == DType::kInt8 ? Quantized(0.5f, 3) : TensorQuantization();
    const int32_t input = builder.AddTensor("x", {1, 2, 3}, type, quantization);
    const int32_t output = builder.AddTensor("y", {1, 6}, type, quantization);
    builder.AddReshape(input, {1, 6}, output);
    const auto model = RunnableFromBytes(builder.Finish({input}, {output}), "m.tflite");
    QAT_ASSERT_OK(model);
    const auto predictor = MakeModelPredictor(*model, "m", "tflite", {});
    QAT_ASSERT_OK(predictor);
    const InputContract& contract = (*predictor)->contract().input();
    EXPECT_EQ(contract.values, ValueType::kReal);
    EXPECT_EQ(contract.NetworkShape(), (Shape{1, 1, 2, 3}));
    EXPECT_EQ(contract.DataShape(), (Shape{1, 2, 3}));
    const std::vector<float> values = {-1, 0.25f, 1.5f, 1000, -1000, 2.3f};
    std::vector<uint8_t> bytes(values.size() * sizeof(float));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    const auto predictions = (*predictor)->Predict(bytes, 1);
    QAT_ASSERT_OK(predictions);
    // Halves away from zero, and the ends of int8: (127 - 3) / 2 and (-128 - 3) / 2.
    EXPECT_EQ(predictions->scores,
              type == DType::kFloat32 ? values : (std::vector<float>{-1, 0.5f, 1.5f, 62, -65.5f, 2.5f}));
  }
}

}  // namespace
}  // namespace qat
