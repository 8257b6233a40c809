// Golden values of TFLite's reference kernels for operators of one value and of two, and what Prepare
// refuses.
// Byte for byte over random cases: tests/conformance.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "base/half.h"
#include "runtime/kernels/reference/binary.h"
#include "runtime/kernels/reference/hard_swish.h"
#include "runtime/kernels/reference/mean.h"
#include "runtime/runnable_model.h"
#include "support/model_builder.h"
#include "support/run_model.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::ModelBuilder;
using testing::Open;
using testing::Quantized;
using testing::RunOn;
using testing::TensorQuantization;

// x -> one operator -> y, both [values].
template <class T>
std::vector<T> RunUnary(tflite::BuiltinOperator code, const TensorQuantization& in,
                        const TensorQuantization& out, const std::vector<T>& values, float alpha = 0) {
  ModelBuilder builder;
  const Shape shape = {static_cast<int32_t>(values.size())};
  const int32_t x = builder.AddTensor("x", shape, DTypeOf<T>::value, in);
  const int32_t y = builder.AddTensor("y", shape, DTypeOf<T>::value, out);
  if (code == tflite::BuiltinOperator_LEAKY_RELU) {
    builder.AddOperator(code, {x}, {y}, tflite::BuiltinOptions_LeakyReluOptions,
                        tflite::CreateLeakyReluOptions(builder.fbb, alpha).Union());
  } else {
    builder.AddOperator(code, {x}, {y});
  }
  return RunOn<T>(*Open(builder.Finish({x}, {y})), values);
}

TEST(Unary, GivesTheGoldenValuesOfTflite) {
  EXPECT_EQ(RunUnary<uint8_t>(tflite::BuiltinOperator_LOGISTIC, Quantized(0.05f, 128),
                              Quantized(1.0f / 256, 0), {0, 64, 100, 127, 128, 129, 160, 192, 255}),
            (std::vector<uint8_t>{0, 10, 51, 125, 128, 131, 213, 246, 255}));
  EXPECT_EQ(RunUnary<int8_t>(tflite::BuiltinOperator_LOGISTIC, Quantized(0.05f, 0),
                             Quantized(1.0f / 256, -128), {-128, -64, -1, 0, 1, 64, 127}),
            (std::vector<int8_t>{-128, -118, -3, 0, 3, 118, 127}));
  EXPECT_EQ(RunUnary<uint8_t>(tflite::BuiltinOperator_TANH, Quantized(0.05f, 128), Quantized(1.0f / 128, 128),
                              {0, 100, 127, 128, 129, 160, 255}),
            (std::vector<uint8_t>{0, 15, 122, 128, 134, 246, 255}));
  EXPECT_EQ(RunUnary<uint8_t>(tflite::BuiltinOperator_LEAKY_RELU, Quantized(0.05f, 100), Quantized(0.04f, 60),
                              {0, 50, 98, 99, 100, 101, 150, 255}, 0.2f),
            (std::vector<uint8_t>{35, 47, 59, 59, 60, 61, 123, 254}));
  EXPECT_EQ(RunUnary<uint8_t>(tflite::BuiltinOperator_HARD_SWISH, Quantized(0.1f, 128), Quantized(0.08f, 10),
                              {0, 90, 98, 110, 120, 128, 130, 140, 150, 158, 200, 255}),
            (std::vector<uint8_t>{10, 10, 10, 5, 6, 10, 11, 21, 34, 47, 100, 169}));
}

TEST(HardSwish, SplitsItsScalesAsTflite) {
  const auto scaling = ComputeHardSwishScaling({0.1f, 128}, {0.08f, 10});
  QAT_ASSERT_OK(scaling);
  EXPECT_EQ(scaling->to_output.multiplier, 20480);
  EXPECT_EQ(scaling->to_output.exponent, -6);
  EXPECT_EQ(scaling->to_gate.multiplier, 17476);
  EXPECT_EQ(scaling->to_gate.exponent, 4);
  QAT_EXPECT_ERROR(ComputeHardSwishScaling({129, 0}, {1, 0}), ErrorCode::kUnsupported,
                   "expected below 128 times");
}

TEST(Add, GivesTheGoldenValuesOfTflite) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {7}, DType::kUInt8, Quantized(0.05f, 10));
  const int32_t b =
      builder.AddConstant<uint8_t>("b", {7}, {0, 128, 200, 7, 255, 90, 129}, Quantized(0.02f, 128));
  const int32_t y = builder.AddTensor("y", {7}, DType::kUInt8, Quantized(0.06f, 30));
  builder.AddOperator(tflite::BuiltinOperator_ADD, {x, b}, {y});
  EXPECT_EQ(RunOn<uint8_t>(*Open(builder.Finish({x}, {y})), {0, 10, 50, 100, 255, 200, 33}),
            (std::vector<uint8_t>{0, 30, 87, 65, 255, 176, 50}));
}

TEST(Mean, GivesTheGoldenValueOfTflite) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {6}, DType::kUInt8, Quantized(0.1f, 5));
  const int32_t axes = builder.AddConstant<int32_t>("axes", {}, {-1});
  const int32_t y = builder.AddTensor("y", {}, DType::kUInt8, Quantized(0.05f, 7));
  builder.AddOperator(tflite::BuiltinOperator_MEAN, {x, axes}, {y});
  EXPECT_EQ(RunOn<uint8_t>(*Open(builder.Finish({x}, {y})), {10, 20, 31, 40, 55, 61}),
            std::vector<uint8_t>{69});
}

// By the definition: the largest of each row; whoever asks for another scale of the output is refused, as
// TFLite does.
TEST(ReduceMax, KeepsTheLargestAndItsScale) {
  for (const float scale : {0.1f, 0.2f}) {
    ModelBuilder builder;
    const int32_t x = builder.AddTensor("x", {2, 3}, DType::kInt8, Quantized(0.1f, 5));
    const int32_t axes = builder.AddConstant<int32_t>("axes", {1}, {-1});
    const int32_t y = builder.AddTensor("y", {2}, DType::kInt8, Quantized(scale, 5));
    builder.AddOperator(tflite::BuiltinOperator_REDUCE_MAX, {x, axes}, {y});
    const auto bytes = builder.Finish({x}, {y});
    const auto model = RunnableFromBytes(bytes, "m.tflite");
    QAT_ASSERT_OK(model);
    if (scale != 0.1f) {
      QAT_EXPECT_ERROR(Interpreter::Create(*model), ErrorCode::kCorrupt, "output scale 0.2");
    } else {
      EXPECT_EQ(RunOn<int8_t>(*Open(bytes), {-128, -7, -90, 3, 127, 0}), (std::vector<int8_t>{-7, 127}));
    }
  }
}

TEST(SplitV, HandsEachOutputItsRowsWhereverItIsRead) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {2, 5}, DType::kUInt8, Quantized(1, 0));
  const int32_t sizes = builder.AddConstant<int64_t>("sizes", {2}, {2, -1});
  const int32_t axis = builder.AddConstant<int32_t>("axis", {}, {1});
  const int32_t left = builder.AddTensor("left", {2, 2}, DType::kUInt8, Quantized(1, 0));
  const int32_t right = builder.AddTensor("right", {2, 3}, DType::kUInt8, Quantized(1, 0));
  const int32_t joined = builder.AddTensor("joined", {2, 5}, DType::kUInt8, Quantized(1, 0));
  builder.AddOperator(tflite::BuiltinOperator_SPLIT_V, {x, sizes, axis}, {left, right},
                      tflite::BuiltinOptions_SplitVOptions,
                      tflite::CreateSplitVOptions(builder.fbb, 2).Union());
  builder.AddOperator(tflite::BuiltinOperator_CONCATENATION, {right, left}, {joined},
                      tflite::BuiltinOptions_ConcatenationOptions,
                      tflite::CreateConcatenationOptions(builder.fbb, 1).Union());
  const auto interpreter = Open(builder.Finish({x}, {joined, right}));
  EXPECT_EQ(RunOn<uint8_t>(*interpreter, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}),
            (std::vector<uint8_t>{3, 4, 5, 1, 2, 8, 9, 10, 6, 7}));
  const auto second = interpreter->output(1);
  EXPECT_EQ(std::vector<uint8_t>(second.begin(), second.end()), (std::vector<uint8_t>{3, 4, 5, 8, 9, 10}));
}

TEST(Split, AModelWithTooFewOutputsIsCorrupt) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {6}, DType::kFloat32);
  const int32_t axis = builder.AddConstant<int32_t>("axis", {}, {0});
  const int32_t y = builder.AddTensor("y", {2}, DType::kFloat32);
  builder.AddOperator(tflite::BuiltinOperator_SPLIT, {axis, x}, {y}, tflite::BuiltinOptions_SplitOptions,
                      tflite::CreateSplitOptions(builder.fbb, 3).Union());
  const auto model = RunnableFromBytes(builder.Finish({x}, {y}), "m.tflite");
  QAT_ASSERT_OK(model);
  QAT_EXPECT_ERROR(Interpreter::Create(*model), ErrorCode::kCorrupt,
                   "operator 0 (SPLIT): has 1 outputs, expected 3");
}

TEST(HalfToFloat, IsExactAtTheEndsOfItsRange) {
  EXPECT_EQ(HalfToFloat(0x3c00), 1.0f);
  EXPECT_EQ(HalfToFloat(0xc000), -2.0f);
  EXPECT_EQ(HalfToFloat(0x7bff), 65504.0f);
  EXPECT_EQ(HalfToFloat(0x0400), 0x1p-14f);
  EXPECT_EQ(HalfToFloat(0x0001), 0x1p-24f);
  EXPECT_EQ(HalfToFloat(0x83ff), -0x1.ff8p-15f);
  EXPECT_TRUE(std::signbit(HalfToFloat(0x8000)));
  EXPECT_EQ(HalfToFloat(0xfc00), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(HalfToFloat(0x7e00)));
}

// Two groups: the first filter sees the first channel only, the second the second.
TEST(Conv2D, AGroupSeesItsOwnChannels) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {1, 1, 2, 2}, DType::kFloat32);
  const int32_t w = builder.AddConstant<float>("w", {2, 1, 1, 1}, {10, 100});
  const int32_t b = builder.AddConstant<float>("b", {2}, {1, 2});
  const int32_t y = builder.AddTensor("y", {1, 1, 2, 2}, DType::kFloat32);
  builder.AddConv2D(x, w, b, y, {});
  EXPECT_EQ(RunOn<float>(*Open(builder.Finish({x}, {y})), {1, 2, 3, 4}),
            (std::vector<float>{11, 202, 31, 402}));
}

TEST(Gather, RefusesAnIndexOutside) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {3}, DType::kFloat32);
  const int32_t indices = builder.AddConstant<int32_t>("indices", {2}, {0, 3});
  const int32_t y = builder.AddTensor("y", {2}, DType::kFloat32);
  builder.AddOperator(tflite::BuiltinOperator_GATHER, {x, indices}, {y});
  const auto model = RunnableFromBytes(builder.Finish({x}, {y}), "m.tflite");
  QAT_ASSERT_OK(model);
  QAT_EXPECT_ERROR(Interpreter::Create(*model), ErrorCode::kCorrupt, "index 3 of an axis of 3");
}

// An operator over x [2, 3] and a constant, with what is wrong in it.
struct Refusal {
  const char* name;
  tflite::BuiltinOperator code;
  std::function<int32_t(ModelBuilder&)> second;
  Shape output;
  DType output_type;
  const char* message;
};

int32_t Indices(ModelBuilder& b, const Shape& shape, const std::vector<int32_t>& values) {
  return b.AddConstant("second", shape, values);
}

class RefusedOperator : public ::testing::TestWithParam<Refusal> {};

TEST_P(RefusedOperator, SaysWhatIsWrong) {
  const Refusal& refusal = GetParam();
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {2, 3}, DType::kUInt8, Quantized(1, 0));
  std::vector<int32_t> inputs = {x};
  if (refusal.second) inputs.push_back(refusal.second(builder));
  const int32_t y =
      builder.AddTensor("y", refusal.output, refusal.output_type,
                        refusal.output_type == DType::kUInt8 ? Quantized(1, 3) : TensorQuantization());
  builder.AddOperator(refusal.code, inputs, {y});
  const auto model = RunnableFromBytes(builder.Finish({x}, {y}), "m.tflite");
  QAT_ASSERT_OK(model);
  const auto interpreter = Interpreter::Create(*model);
  ASSERT_FALSE(interpreter.ok());
  EXPECT_NE(interpreter.error().message.find(refusal.message), std::string::npos)
      << interpreter.error().message;
}

const Refusal kRefusals[] = {
    {"MeanAxis",
     tflite::BuiltinOperator_MEAN,
     [](ModelBuilder& b) { return Indices(b, {1}, {2}); },
     {2},
     DType::kUInt8,
     "axis is 2, expected one of 2 dimensions"},
    {"MeanAxesType",
     tflite::BuiltinOperator_MEAN,
     [](ModelBuilder& b) { return b.AddConstant<float>("second", {1}, {0}); },
     {3},
     DType::kUInt8,
     "axes is float32, expected int32 or int64"},
    {"PadShape",
     tflite::BuiltinOperator_PAD,
     [](ModelBuilder& b) {
       return Indices(b, {2}, {1, 1});
     },
     {2, 3},
     DType::kUInt8,
     "paddings are [2], expected [2, 2]"},
    {"PadNegative",
     tflite::BuiltinOperator_PAD,
     [](ModelBuilder& b) {
       return Indices(b, {2, 2}, {0, 0, -1, 0});
     },
     {2, 2},
     DType::kUInt8,
     "paddings of axis 1 are -1 and 0"},
    {"PadParameters",
     tflite::BuiltinOperator_PAD,
     [](ModelBuilder& b) {
       return Indices(b, {2, 2}, {0, 0, 0, 0});
     },
     {2, 3},
     DType::kUInt8,
     "output scale 1 and zero point 3, expected 1 and 0"},
    {"AddShapes",
     tflite::BuiltinOperator_ADD,
     [](ModelBuilder& b) {
       return b.AddConstant<uint8_t>("second", {2}, {1, 2}, Quantized(1, 0));
     },
     {2, 3},
     DType::kUInt8,
     "inputs [2, 3] and [2] do not broadcast"},
    {"AddScales",
     tflite::BuiltinOperator_ADD,
     [](ModelBuilder& b) { return b.AddConstant<uint8_t>("second", {1}, {1}); },
     {2, 3},
     DType::kUInt8,
     "second input of type uint8 has no scale"},
    {"AddTypes",
     tflite::BuiltinOperator_ADD,
     [](ModelBuilder& b) { return b.AddConstant<float>("second", {1}, {1}); },
     {2, 3},
     DType::kUInt8,
     "no kernel for inputs of type uint8, float32"},
    {"AddRange",
     tflite::BuiltinOperator_ADD,
     [](ModelBuilder& b) { return b.AddConstant<uint8_t>("second", {1}, {1}, Quantized(1e9f, 0)); },
     {2, 3},
     DType::kUInt8,
     "output scale 1 is 2^19 times below the inputs'"},
    {"LogisticScale",
     tflite::BuiltinOperator_LOGISTIC,
     {},
     {2, 3},
     DType::kUInt8,
     "output scale 1 and zero point 3, expected 0.00390625 and 0"},
    {"DequantizeType", tflite::BuiltinOperator_DEQUANTIZE, {}, {2, 3}, DType::kInt32, "no kernel for inputs"},
    {"PReluAlpha",
     tflite::BuiltinOperator_PRELU,
     [](ModelBuilder& b) {
       return b.AddConstant<uint8_t>("second", {4, 1, 1}, {1, 1, 1, 1}, Quantized(1, 0));
     },
     {4, 2, 3},
     DType::kUInt8,
     "alpha is [4, 1, 1], expected to broadcast to [2, 3]"},
};

INSTANTIATE_TEST_SUITE_P(Operators, RefusedOperator, ::testing::ValuesIn(kRefusals),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace qat
