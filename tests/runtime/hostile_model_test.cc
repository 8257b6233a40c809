// Files that somebody made to break a reader: each ends in one sentence, or runs. That nothing outside of the
// file and the arena is touched, and no number overflows, is the claim of the sanitizers (preset sanitize).
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "runtime/interpreter.h"
#include "runtime/runnable_model.h"
#include "support/model_builder.h"
#include "support/run_model.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::ModelBuilder;
using testing::Quantized;
using testing::TensorQuantization;

constexpr float kHuge = 3e38f, kTiny = 1e-44f;  // a float32 whose inverse is infinite

Expected<std::unique_ptr<Interpreter>> Prepare(std::vector<uint8_t> bytes) {
  QAT_ASSIGN_OR_RETURN(auto model, RunnableFromBytes(std::move(bytes), "m.tflite"));
  return Interpreter::Create(std::move(model));
}

// x [1, 4] -> reshape -> y [2, 2], a constant c [2, 2], and one operator that this build lacks, which makes
// z.
std::vector<uint8_t> ModelWithMissing(const std::function<void(ModelBuilder&)>& add) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {1, 4}, DType::kFloat32);
  const int32_t y = builder.AddTensor("y", {2, 2}, DType::kFloat32);
  builder.AddConstant<float>("c", {2, 2}, {1, 2, 3, 4});
  const int32_t z = builder.AddTensor("z", {2, 2}, DType::kFloat32);
  builder.AddReshape(x, {2, 2}, y);
  builder.AddOperator(tflite::BuiltinOperator_SVDF, {y}, {z});
  add(builder);
  return builder.Finish({x}, {y});
}

struct WrongOutput {
  const char* name;
  std::function<void(ModelBuilder&)> add;
  const char* message;
};

class HostileOutput : public ::testing::TestWithParam<WrongOutput> {};

TEST_P(HostileOutput, IsRefusedThoughTheModelWouldBeAnyway) {
  QAT_EXPECT_ERROR(Prepare(ModelWithMissing(GetParam().add)), ErrorCode::kCorrupt, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Model, HostileOutput,
    ::testing::Values(
        WrongOutput{"Constant",
                    [](ModelBuilder& b) {
                      b.AddReshape(0, {2, 2}, 2);
                    },
                    "operator 2 (RESHAPE): output tensor 2 already has a value"},
        WrongOutput{"Input",
                    [](ModelBuilder& b) {
                      b.AddReshape(1, {1, 4}, 0);
                    },
                    "operator 2 (RESHAPE): output tensor 0 already has a value"},
        WrongOutput{"Twice",
                    [](ModelBuilder& b) {
                      b.AddReshape(0, {2, 2}, 1);
                    },
                    "operator 2 (RESHAPE): output tensor 1 already has a value"},
        WrongOutput{"OfAMissingOperator",
                    [](ModelBuilder& b) {
                      b.AddReshape(0, {2, 2}, 3);
                    },
                    "operator 2 (RESHAPE): output tensor 3 already has a value"},
        WrongOutput{"ConstantByAMissingOperator",
                    [](ModelBuilder& b) { b.AddOperator(tflite::BuiltinOperator_SVDF, {0}, {2}); },
                    "operator 2: output tensor 2 already has a value"},
        WrongOutput{"NoTensorByAMissingOperator",
                    [](ModelBuilder& b) { b.AddOperator(tflite::BuiltinOperator_SVDF, {0}, {99}); },
                    "operator 2: outputs hold tensor 99"},
        WrongOutput{"NotProduced",
                    [](ModelBuilder& b) {
                      const int32_t never = b.AddTensor("never", {1, 4}, DType::kFloat32);
                      b.AddReshape(never, {2, 2}, b.AddTensor("w", {2, 2}, DType::kFloat32));
                    },
                    "operator 2 (RESHAPE): input tensor"}),
    [](const auto& instance) { return std::string(instance.param.name); });

// What runs before a missing operator's output is read is still listed.
TEST(HostileModel, OfAMissingOperatorIsUnsupportedWhoeverReadsItsOutput) {
  QAT_EXPECT_ERROR(Prepare(ModelWithMissing([](ModelBuilder& b) {
                     b.AddReshape(3, {1, 4}, b.AddTensor("w", {1, 4}, DType::kFloat32));
                   })),
                   ErrorCode::kUnsupported, "m.tflite: not supported: SVDF version 1 (operator 1)");
}

// A depthwise filter that a RESHAPE before it claims to write: its four bytes must not become the larger
// shape.
TEST(HostileModel, NeverGivesAConstantAnotherShape) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {1, 64, 64, 64}, DType::kUInt8, Quantized(1, 0));
  const int32_t filter = builder.AddConstant<uint8_t>("w", {1, 1, 1, 4}, {1, 2, 3, 4}, Quantized(1, 0));
  const int32_t y = builder.AddTensor("y", {1, 64, 64, 64}, DType::kUInt8, Quantized(1, 0));
  const int32_t z = builder.AddTensor("z", {1}, DType::kFloat32);
  builder.AddOperator(tflite::BuiltinOperator_LSTM, {x}, {z});
  builder.AddReshape(x, {1, 64, 64, 64}, filter);
  builder.AddOperator(
      tflite::BuiltinOperator_DEPTHWISE_CONV_2D, {x, filter}, {y},
      tflite::BuiltinOptions_DepthwiseConv2DOptions,
      tflite::CreateDepthwiseConv2DOptions(builder.fbb, tflite::Padding_SAME, 1, 1, 1).Union());
  QAT_EXPECT_ERROR(Prepare(builder.Finish({x}, {y})), ErrorCode::kCorrupt,
                   "operator 1 (RESHAPE): output tensor 1 already has a value");
}

// The axis is an output of the same SPLIT.
TEST(HostileModel, RefusesASplitThatWritesItsOwnAxis) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {1, 4}, DType::kFloat32);
  const int32_t axis = builder.AddConstant<int32_t>("axis", {}, {1});
  const int32_t y = builder.AddTensor("y", {1, 2}, DType::kFloat32);
  const int32_t z = builder.AddTensor("z", {1}, DType::kFloat32);
  builder.AddOperator(tflite::BuiltinOperator_LSTM, {x}, {z});
  builder.AddOperator(tflite::BuiltinOperator_SPLIT, {axis, x}, {y, axis},
                      tflite::BuiltinOptions_SplitOptions,
                      tflite::CreateSplitOptions(builder.fbb, 2).Union());
  QAT_EXPECT_ERROR(Prepare(builder.Finish({x}, {y})), ErrorCode::kCorrupt,
                   "operator 1 (SPLIT): output tensor 1 already has a value");
}

// An empty axis divides by anything: the number of parts alone must not be believed.
TEST(HostileModel, RefusesMorePartsThanAnybodyHasOutputs) {
  for (const bool unpack : {false, true}) {
    ModelBuilder builder;
    const int32_t x = builder.AddTensor("x", {unpack ? 1 << 30 : 0, 1}, DType::kUInt8);
    const int32_t axis = builder.AddConstant<int32_t>("axis", {}, {0});
    const int32_t y = builder.AddTensor("y", {0, 1}, DType::kUInt8);
    if (unpack) {
      builder.AddOperator(tflite::BuiltinOperator_UNPACK, {x}, {y}, tflite::BuiltinOptions_UnpackOptions,
                          tflite::CreateUnpackOptions(builder.fbb, 1 << 30, 0).Union());
    } else {
      builder.AddOperator(tflite::BuiltinOperator_SPLIT, {axis, x}, {y}, tflite::BuiltinOptions_SplitOptions,
                          tflite::CreateSplitOptions(builder.fbb, 1 << 30).Union());
    }
    QAT_EXPECT_ERROR(Prepare(builder.Finish({x}, {y})), ErrorCode::kCorrupt, "1073741824");
  }
}

// The file gives y two scales along an axis that it leaves open; the input makes it four long.
TEST(HostileModel, RefusesScalesOfAShapeThatWasOpen) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {1, 4}, DType::kFloat32);
  const int32_t y = builder.Add("y", {1, 2}, tflite::TensorType_INT8, {{1, 2}, {0, 0}, 1}, 0, {1, -1});
  builder.AddOperator(tflite::BuiltinOperator_QUANTIZE, {x}, {y});
  QAT_EXPECT_ERROR(Prepare(builder.Finish({x}, {y})), ErrorCode::kCorrupt,
                   "m.tflite: operator 0 (QUANTIZE): tensor 'y' has 2 scales along dimension 1 of [1, 4]");
}

struct ScaledOperator {
  const char* name;
  tflite::BuiltinOperator code;
  int inputs;
};

class ExtremeScales : public ::testing::TestWithParam<ScaledOperator> {};

// Every pair of extremes: quotients and products are infinite, 0 or NaN. Refused in a sentence, or all bytes
// defined.
TEST_P(ExtremeScales, AreRefusedOrRun) {
  const ScaledOperator& op = GetParam();
  for (const DType type : {DType::kUInt8, DType::kInt8}) {
    for (const float from : {kTiny, 1.0f, kHuge}) {
      for (const float to : {kTiny, 1.0f, kHuge}) {
        ModelBuilder builder;
        const int64_t zero_point = type == DType::kUInt8 ? 255 : -128;
        const int32_t x = builder.AddTensor("x", {1, 2, 2, 4}, type, Quantized(from, zero_point));
        const int32_t axes = builder.AddConstant<int32_t>("axes", {1}, {3});
        const bool reduces =
            op.code == tflite::BuiltinOperator_SUM || op.code == tflite::BuiltinOperator_MEAN;
        const Shape shape = reduces ? Shape{1, 2, 2} : Shape{1, 2, 2, 4};
        const int32_t y = builder.AddTensor("y", shape, type, Quantized(to, 100));
        std::vector<int32_t> inputs(static_cast<size_t>(op.inputs), x);
        if (reduces) inputs.push_back(axes);
        if (op.code == tflite::BuiltinOperator_CONCATENATION) {
          builder.AddOperator(op.code, inputs, {y}, tflite::BuiltinOptions_ConcatenationOptions,
                              tflite::CreateConcatenationOptions(builder.fbb, 3).Union());
        } else {
          builder.AddOperator(op.code, inputs, {y});
        }
        const auto interpreter = Prepare(builder.Finish({x}, {y}));
        if (interpreter.ok()) {
          (*interpreter)->Invoke();
        } else {
          EXPECT_TRUE(interpreter.error().message.starts_with("m.tflite: ")) << interpreter.error().message;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Model, ExtremeScales,
    ::testing::Values(ScaledOperator{"HARD_SWISH", tflite::BuiltinOperator_HARD_SWISH, 1},
                      ScaledOperator{"RELU", tflite::BuiltinOperator_RELU, 1},
                      ScaledOperator{"LOGISTIC", tflite::BuiltinOperator_LOGISTIC, 1},
                      ScaledOperator{"TANH", tflite::BuiltinOperator_TANH, 1},
                      ScaledOperator{"GELU", tflite::BuiltinOperator_GELU, 1},
                      ScaledOperator{"EXP", tflite::BuiltinOperator_EXP, 1},
                      ScaledOperator{"LOG", tflite::BuiltinOperator_LOG, 1},
                      ScaledOperator{"ABS", tflite::BuiltinOperator_ABS, 1},
                      ScaledOperator{"RSQRT", tflite::BuiltinOperator_RSQRT, 1},
                      ScaledOperator{"SQRT", tflite::BuiltinOperator_SQRT, 1},
                      ScaledOperator{"LOG_SOFTMAX", tflite::BuiltinOperator_LOG_SOFTMAX, 1},
                      ScaledOperator{"DIV", tflite::BuiltinOperator_DIV, 2},
                      ScaledOperator{"ELU", tflite::BuiltinOperator_ELU, 1},
                      ScaledOperator{"QUANTIZE", tflite::BuiltinOperator_QUANTIZE, 1},
                      ScaledOperator{"SOFTMAX", tflite::BuiltinOperator_SOFTMAX, 1},
                      ScaledOperator{"CONCATENATION", tflite::BuiltinOperator_CONCATENATION, 1},
                      ScaledOperator{"SUM", tflite::BuiltinOperator_SUM, 1},
                      ScaledOperator{"MEAN", tflite::BuiltinOperator_MEAN, 1},
                      ScaledOperator{"ADD", tflite::BuiltinOperator_ADD, 2},
                      ScaledOperator{"SUB", tflite::BuiltinOperator_SUB, 2},
                      ScaledOperator{"MUL", tflite::BuiltinOperator_MUL, 2},
                      ScaledOperator{"PRELU", tflite::BuiltinOperator_PRELU, 2},
                      ScaledOperator{"SQUARED_DIFFERENCE", tflite::BuiltinOperator_SQUARED_DIFFERENCE, 2},
                      ScaledOperator{"LESS", tflite::BuiltinOperator_LESS, 2}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST(HostileModel, RefusesAHardSwishWhoseQuotientIsInfinite) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {1, 4}, DType::kInt8, Quantized(kHuge, 0));
  const int32_t y = builder.AddTensor("y", {1, 4}, DType::kInt8, Quantized(kTiny, 0));
  builder.AddOperator(tflite::BuiltinOperator_HARD_SWISH, {x}, {y});
  QAT_EXPECT_ERROR(Prepare(builder.Finish({x}, {y})), ErrorCode::kUnsupported,
                   "HARD_SWISH version 1: input scale is 3e+38, expected below 128 times the output's");
}

// Every multiplier of a product of scales is held to the same bound, one scale for all or one per channel.
TEST(HostileModel, RefusesAFullyConnectedLayerWhoseMultiplierIsHuge) {
  for (const bool is_signed : {false, true}) {
    ModelBuilder builder;
    const DType type = is_signed ? DType::kInt8 : DType::kUInt8;
    const int32_t x = builder.AddTensor("x", {1, 1}, type, Quantized(kHuge, 0));
    const int32_t w = is_signed ? builder.AddConstant<int8_t>("w", {1, 1}, {1}, Quantized(kHuge, 0))
                                : builder.AddConstant<uint8_t>("w", {1, 1}, {1}, Quantized(kHuge, 0));
    const int32_t y = builder.AddTensor("y", {1, 1}, type, Quantized(kTiny, 0));
    builder.AddFullyConnected(x, w, -1, y, Activation::kNone);
    QAT_EXPECT_ERROR(Prepare(builder.Finish({x}, {y})), ErrorCode::kCorrupt, "expected below 2^30");
  }
}

// The integers of a RANGE run out at the end of int64.
TEST(HostileModel, CountsToTheEndOfInt64) {
  using Limits = std::numeric_limits<int64_t>;
  ModelBuilder builder;
  const int32_t start = builder.AddConstant<int64_t>("start", {}, {Limits::min()});
  const int32_t limit = builder.AddConstant<int64_t>("limit", {}, {Limits::max()});
  const int32_t delta = builder.AddConstant<int64_t>("delta", {}, {int64_t{1} << 62});
  const int32_t y = builder.AddTensor("y", {4}, DType::kInt64);
  builder.AddOperator(tflite::BuiltinOperator_RANGE, {start, limit, delta}, {y});
  const auto interpreter = testing::Open(builder.Finish({}, {y}));
  ASSERT_NE(interpreter, nullptr);
  std::vector<int64_t> values(4);
  std::memcpy(values.data(), interpreter->output(0).data(), 4 * sizeof(int64_t));
  EXPECT_EQ(values, (std::vector<int64_t>{Limits::min(), -(int64_t{1} << 62), 0, int64_t{1} << 62}));
}

// A list of one int64 as the length, 4 bytes, puts it: at a multiple of 4 that is none of 8. The structural
// verifier of FlatBuffers holds lists to no more.
TEST(HostileModel, ReadsZeroPointsAtAnyPlace) {
  int odd = 0;
  for (const int padding : {0, 1}) {
    ModelBuilder builder;
    flatbuffers::FlatBufferBuilder& fbb = builder.fbb;
    const int32_t y = builder.AddTensor("y", {1, 4}, DType::kFloat32);
    const auto scale = fbb.CreateVector(std::vector<float>{0.5f});
    fbb.StartVector(2, sizeof(int32_t));
    fbb.PushElement<int32_t>(0);
    fbb.PushElement<int32_t>(7);
    const flatbuffers::Offset<flatbuffers::Vector<int64_t>> zero_point(fbb.EndVector(1));
    for (int i = 0; i < padding; ++i) fbb.PushElement<int32_t>(0);
    const auto parameters = tflite::CreateQuantizationParameters(fbb, 0, 0, scale, zero_point);
    const int32_t x = builder.AddQuantized("x", {1, 4}, tflite::TensorType_UINT8, parameters);
    builder.AddOperator(tflite::BuiltinOperator_DEQUANTIZE, {x}, {y});
    const auto bytes = builder.Finish({x}, {y});
    const auto& table = *tflite::GetModel(bytes.data())->subgraphs()->Get(0)->tensors()->Get(1);
    odd += (table.quantization()->zero_point()->Data() - bytes.data()) % 8 != 0;
    const auto interpreter = testing::Open(bytes);
    ASSERT_NE(interpreter, nullptr);
    EXPECT_EQ(interpreter->model().tensors()[1].zero_point, std::vector<int64_t>{7});
    const std::span<uint8_t> input = interpreter->input(0);
    std::fill(input.begin(), input.end(), uint8_t{9});
    interpreter->Invoke();
    float first;
    std::memcpy(&first, interpreter->output(0).data(), sizeof(first));
    EXPECT_EQ(first, 1);
  }
  EXPECT_EQ(odd, 1) << "one of two files that differ by 4 bytes has them so";
}

}  // namespace
}  // namespace qat
