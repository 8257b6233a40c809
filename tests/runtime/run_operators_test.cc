// Operators that run but are in no spec: values worked out by hand, and what Prepare refuses. Byte for byte
// over random cases: tests/conformance.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "runtime/kernels/reference/inverse_sqrt.h"
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

// x -> one operator with constant operands behind it -> y.
struct OneOperator {
  tflite::BuiltinOperator code;
  Shape input, output;
  std::vector<std::vector<int32_t>> operands;
  tflite::BuiltinOptions type = tflite::BuiltinOptions_NONE;
  std::function<flatbuffers::Offset<void>(flatbuffers::FlatBufferBuilder&)> options = nullptr;

  std::vector<uint8_t> Build() const {
    ModelBuilder builder;
    const int32_t x = builder.AddTensor("x", input, DType::kFloat32);
    std::vector<int32_t> inputs = {x};
    for (const auto& values : operands)
      inputs.push_back(builder.AddConstant("operand", {static_cast<int32_t>(values.size())}, values));
    const int32_t y = builder.AddTensor("y", output, DType::kFloat32);
    builder.AddOperator(code, inputs, {y}, type, options ? options(builder.fbb) : 0);
    return builder.Finish({x}, {y});
  }
  std::vector<float> Run(const std::vector<float>& values) const {
    const auto interpreter = Open(Build());
    return interpreter == nullptr ? std::vector<float>() : RunOn<float>(*interpreter, values);
  }
};

auto StridedOptions(int32_t begin_mask, int32_t end_mask, int32_t ellipsis, int32_t new_axis, int32_t shrink,
                    bool offset = false) {
  return [=](flatbuffers::FlatBufferBuilder& fbb) {
    return tflite::CreateStridedSliceOptions(fbb, begin_mask, end_mask, ellipsis, new_axis, shrink, offset)
        .Union();
  };
}

TEST(StridedSlice, TakesEllipsesNewAxesAndFewerEntriesThanAxes) {
  const std::vector<float> values = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};  // [2, 3, 2]
  // x[..., 1]
  EXPECT_EQ((OneOperator{tflite::BuiltinOperator_STRIDED_SLICE,
                         {2, 3, 2},
                         {2, 3},
                         {{0, 1}, {0, 2}, {1, 1}},
                         tflite::BuiltinOptions_StridedSliceOptions,
                         StridedOptions(0, 0, 1, 0, 2)}
                 .Run(values)),
            (std::vector<float>{1, 3, 5, 7, 9, 11}));
  // x[1:]
  EXPECT_EQ((OneOperator{tflite::BuiltinOperator_STRIDED_SLICE,
                         {2, 3, 2},
                         {1, 3, 2},
                         {{1}, {2}, {1}},
                         tflite::BuiltinOptions_StridedSliceOptions,
                         StridedOptions(0, 0, 0, 0, 0)}
                 .Run(values)),
            (std::vector<float>{6, 7, 8, 9, 10, 11}));
  // x[:, None, 2]
  EXPECT_EQ((OneOperator{tflite::BuiltinOperator_STRIDED_SLICE,
                         {2, 3, 2},
                         {2, 1, 2},
                         {{0, 0, 2}, {0, 0, 3}, {1, 1, 1}},
                         tflite::BuiltinOptions_StridedSliceOptions,
                         StridedOptions(1, 1, 0, 2, 4)}
                 .Run(values)),
            (std::vector<float>{4, 5, 10, 11}));
  // Ends that count from the beginnings: two rows from the second on.
  EXPECT_EQ((OneOperator{tflite::BuiltinOperator_STRIDED_SLICE,
                         {2, 3, 2},
                         {2, 2, 2},
                         {{0, 1}, {2, 2}, {1, 1}},
                         tflite::BuiltinOptions_StridedSliceOptions,
                         StridedOptions(0, 0, 0, 0, 0, true)}
                 .Run(values)),
            (std::vector<float>{2, 3, 4, 5, 8, 9, 10, 11}));
}

TEST(StridedSlice, RefusesMoreEntriesThanAxesAndTwoEllipses) {
  const auto many = OneOperator{tflite::BuiltinOperator_STRIDED_SLICE,
                                {2},
                                {2},
                                {{0, 0}, {1, 1}, {1, 1}},
                                tflite::BuiltinOptions_StridedSliceOptions,
                                StridedOptions(0, 0, 0, 0, 0)}
                        .Build();
  auto model = RunnableFromBytes(many, "m.tflite");
  QAT_ASSERT_OK(model);
  QAT_EXPECT_ERROR(Interpreter::Create(*model), ErrorCode::kCorrupt, "has 2 entries for [2]");
  const auto two = OneOperator{tflite::BuiltinOperator_STRIDED_SLICE,
                               {2},
                               {2},
                               {{0, 0}, {1, 1}, {1, 1}},
                               tflite::BuiltinOptions_StridedSliceOptions,
                               StridedOptions(0, 0, 3, 0, 0)}
                       .Build();
  QAT_EXPECT_ERROR(RunnableFromBytes(two, "m.tflite"), ErrorCode::kCorrupt, "ellipsis mask is 3");
}

TEST(MirrorPad, RepeatsTheBorderOrNot) {
  const auto options = [](tflite::MirrorPadMode mode) {
    return [=](flatbuffers::FlatBufferBuilder& fbb) {
      return tflite::CreateMirrorPadOptions(fbb, mode).Union();
    };
  };
  for (const bool symmetric : {false, true}) {
    ModelBuilder builder;
    const int32_t x = builder.AddTensor("x", {3}, DType::kFloat32);
    const int32_t pads = builder.AddConstant<int32_t>("pads", {1, 2}, {2, 1});
    const int32_t y = builder.AddTensor("y", {6}, DType::kFloat32);
    const auto mode = symmetric ? tflite::MirrorPadMode_SYMMETRIC : tflite::MirrorPadMode_REFLECT;
    builder.AddOperator(tflite::BuiltinOperator_MIRROR_PAD, {x, pads}, {y},
                        tflite::BuiltinOptions_MirrorPadOptions, options(mode)(builder.fbb));
    const auto interpreter = Open(builder.Finish({x}, {y}));
    ASSERT_NE(interpreter, nullptr);
    const std::vector<float> expected =
        symmetric ? std::vector<float>{2, 1, 1, 2, 3, 3} : std::vector<float>{3, 2, 1, 2, 3, 2};
    EXPECT_EQ(RunOn<float>(*interpreter, {1, 2, 3}), expected);
  }
}

TEST(Blocks, GoToDepthAndBack) {
  const auto depth = [](flatbuffers::FlatBufferBuilder& fbb) {
    return tflite::CreateSpaceToDepthOptions(fbb, 2).Union();
  };
  const auto space = [](flatbuffers::FlatBufferBuilder& fbb) {
    return tflite::CreateDepthToSpaceOptions(fbb, 2).Union();
  };
  const OneOperator down{tflite::BuiltinOperator_SPACE_TO_DEPTH,     {1, 2, 4, 1}, {1, 1, 2, 4}, {},
                         tflite::BuiltinOptions_SpaceToDepthOptions, depth};
  const OneOperator up{tflite::BuiltinOperator_DEPTH_TO_SPACE,     {1, 1, 2, 4}, {1, 2, 4, 1}, {},
                       tflite::BuiltinOptions_DepthToSpaceOptions, space};
  const std::vector<float> image = {0, 1, 2, 3, 4, 5, 6, 7};
  const std::vector<float> dealt = {0, 1, 4, 5, 2, 3, 6, 7};
  EXPECT_EQ(down.Run(image), dealt);
  EXPECT_EQ(up.Run(dealt), image);
}

TEST(Reverse, WalksFromTheEnd) {
  EXPECT_EQ((OneOperator{tflite::BuiltinOperator_REVERSE_V2, {2, 3}, {2, 3}, {{1}}}.Run({0, 1, 2, 3, 4, 5})),
            (std::vector<float>{2, 1, 0, 5, 4, 3}));
}

TEST(Tile, RepeatsEachAxis) {
  EXPECT_EQ((OneOperator{tflite::BuiltinOperator_TILE, {1, 2}, {2, 4}, {{2, 2}}}.Run({5, 6})),
            (std::vector<float>{5, 6, 5, 6, 5, 6, 5, 6}));
}

TEST(Gather, RefusesIndicesOutside) {
  const OneOperator gather{tflite::BuiltinOperator_GATHER, {3}, {2}, {{2, 3}}};
  auto model = RunnableFromBytes(gather.Build(), "m.tflite");
  QAT_ASSERT_OK(model);
  QAT_EXPECT_ERROR(Interpreter::Create(*model), ErrorCode::kCorrupt, "index 3 of an axis of 3");
}

// An index that is computed must not reach behind the table.
TEST(Gather, GivesZerosForComputedIndicesOutside) {
  ModelBuilder builder;
  const int32_t table = builder.AddConstant<int32_t>("table", {3}, {10, 20, 30});
  const int32_t x = builder.AddTensor("x", {4}, DType::kInt32);
  const int32_t y = builder.AddTensor("y", {4}, DType::kInt32);
  builder.AddOperator(tflite::BuiltinOperator_GATHER, {table, x}, {y});
  const auto interpreter = Open(builder.Finish({x}, {y}));
  ASSERT_NE(interpreter, nullptr);
  EXPECT_EQ(RunOn<int32_t>(*interpreter, {2, 3, -1, 0}), (std::vector<int32_t>{30, 0, 0, 10}));
}

TEST(FloorDiv, DividesByZeroWithoutStopping) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {4}, DType::kInt32);
  const int32_t by = builder.AddConstant<int32_t>("by", {4}, {2, -2, 0, -1});
  const int32_t y = builder.AddTensor("y", {4}, DType::kInt32);
  builder.AddOperator(tflite::BuiltinOperator_FLOOR_DIV, {x, by}, {y});
  const auto interpreter = Open(builder.Finish({x}, {y}));
  ASSERT_NE(interpreter, nullptr);
  constexpr int32_t kLeast = std::numeric_limits<int32_t>::min();
  EXPECT_EQ(RunOn<int32_t>(*interpreter, {-7, 7, 5, kLeast}), (std::vector<int32_t>{-4, -4, 0, kLeast}));
}

// a / b of uint8, scales 1, 1 and 1/32 unless said otherwise.
std::vector<uint8_t> Quotients(std::vector<uint8_t> a, const std::vector<uint8_t>& b, float output_scale) {
  ModelBuilder builder;
  const Shape shape = {static_cast<int32_t>(a.size())};
  const int32_t x = builder.AddTensor("x", shape, DType::kUInt8, Quantized(1, 0));
  const int32_t divisor = builder.AddConstant("divisor", shape, b, Quantized(1, 0));
  const int32_t y = builder.AddTensor("y", shape, DType::kUInt8, Quantized(output_scale, 0));
  builder.AddOperator(tflite::BuiltinOperator_DIV, {x, divisor}, {y});
  const auto interpreter = Open(builder.Finish({x}, {y}));
  return interpreter == nullptr ? std::vector<uint8_t>() : RunOn<uint8_t>(*interpreter, a);
}

TEST(Div, DividesBytesAndTakesAZeroDivisorForAZeroQuotient) {
  EXPECT_EQ(Quotients({6, 1, 200, 7, 0}, {3, 2, 255, 0, 9}, 1.0f / 32),
            (std::vector<uint8_t>{64, 16, 25, 0, 0}));
}

// 1 / 200 is nearly 0; TFLite's kernel shifts by 38 bits, which the processor takes for 6.
TEST(Div, TakesSmallQuotientsForLargeOnesAsTfliteDoes) {
  EXPECT_EQ(Quotients({1, 200, 150}, {200, 200, 1}, 1), (std::vector<uint8_t>{255, 1, 150}));
}

TEST(Sqrt, TruncatesAndTakesWhatIsBelowZeroForZero) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {4}, DType::kInt8, Quantized(1, 10));
  const int32_t y = builder.AddTensor("y", {4}, DType::kInt8, Quantized(0.5f, -3));
  builder.AddOperator(tflite::BuiltinOperator_SQRT, {x}, {y});
  const auto interpreter = Open(builder.Finish({x}, {y}));
  ASSERT_NE(interpreter, nullptr);
  // sqrt(8) = 2.83 is 5 halves and a bit.
  EXPECT_EQ(RunOn<int8_t>(*interpreter, {19, 18, 10, -20}), (std::vector<int8_t>{3, 2, -3, -3}));
}

std::vector<uint8_t> LogSoftmaxOf(testing::TensorQuantization output) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {1, 3}, DType::kUInt8, Quantized(0.5f, 128));
  const int32_t y = builder.AddTensor("y", {1, 3}, DType::kUInt8, std::move(output));
  builder.AddOperator(tflite::BuiltinOperator_LOG_SOFTMAX, {x}, {y});
  return builder.Finish({x}, {y});
}

TEST(LogSoftmax, IsTheLogarithmIn16ths) {
  const std::vector<uint8_t> input = {130, 130, 124};
  const auto interpreter = Open(LogSoftmaxOf(Quantized(0.0625f, 255)));
  ASSERT_NE(interpreter, nullptr);
  double sum = 0;
  for (const uint8_t value : input) sum += std::exp(0.5 * value);
  std::vector<uint8_t> expected;
  for (const uint8_t value : input)
    expected.push_back(static_cast<uint8_t>(255 + std::lround(16 * (0.5 * value - std::log(sum)))));
  EXPECT_EQ(RunOn<uint8_t>(*interpreter, input), expected);
}

TEST(LogSoftmax, RefusesAnotherOutputScale) {
  const auto model = Model::FromBytes(LogSoftmaxOf(Quantized(0.05f, 255)), "m.tflite");
  QAT_ASSERT_OK(model);
  QAT_EXPECT_ERROR(Interpreter::Create(*model, {}), ErrorCode::kUnsupported,
                   "output scale is 0.05 and zero point 255, expected 0.0625 and 255");
}

// Halves to even; what is rounded up to zero is +0, a zero stays what it is.
TEST(Round, GivesThePositiveZeroOfTflite) {
  const std::vector<float> rounded = OneOperator{tflite::BuiltinOperator_ROUND, {8}, {8}, {}}.Run(
      {-0.5f, -0.1f, -0.0f, 0.5f, 1.5f, 2.5f, -1.5f, -0.6f});
  EXPECT_EQ(rounded, (std::vector<float>{0, 0, 0, 0, 2, 2, -2, -1}));
  EXPECT_FALSE(std::signbit(rounded[0]) || std::signbit(rounded[1]));
  EXPECT_TRUE(std::signbit(rounded[2]));
}

// exp(x) below -9, 1 above 16.619047.
TEST(Logistic, HasTheTailsOfTflite) {
  const std::vector<float> values = {-9, std::nextafter(-9.0f, -10.0f), -20, -90, 16.5f, 16.625f, 50, 0};
  const std::vector<float> results = OneOperator{tflite::BuiltinOperator_LOGISTIC, {8}, {8}, {}}.Run(values);
  const auto middle = [](float x) { return 1 / (1 + std::exp(-x)); };
  EXPECT_EQ(results, (std::vector<float>{middle(-9), std::exp(values[1]), std::exp(-20.0f), std::exp(-90.0f),
                                         middle(16.5f), 1, 1, 0.5f}));
  EXPECT_GT(results[1], results[0]) << "there is a step of 1.2e-4 of the value";
}

// A byte of a bool from a file may be anything: what is not 0 is true.
TEST(Cast, TakesAnyByteForABool) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {4}, DType::kBool);
  const int32_t y = builder.AddTensor("y", {4}, DType::kFloat32);
  builder.AddOperator(tflite::BuiltinOperator_CAST, {x}, {y});
  const auto interpreter = Open(builder.Finish({x}, {y}));
  ASSERT_NE(interpreter, nullptr);
  const std::vector<uint8_t> bytes = {0, 1, 63, 255};
  std::copy(bytes.begin(), bytes.end(), interpreter->input(0).begin());
  interpreter->Invoke();
  std::vector<float> values(4);
  std::memcpy(values.data(), interpreter->output(0).data(), 4 * sizeof(float));
  EXPECT_EQ(values, (std::vector<float>{0, 1, 1, 1}));
}

// The shape as a column or a row of a matrix, as an older converter wrote it: then the option says it.
TEST(Reshape, TakesTheShapeFromItsOptionWhereTheOperandIsNoList) {
  for (const Shape& operand : {Shape{1, 2}, Shape{2, 1}, Shape{}}) {
    ModelBuilder builder;
    const int32_t x = builder.AddTensor("x", {1, 4}, DType::kFloat32);
    const std::vector<int32_t> wrong(static_cast<size_t>(FlatSize(operand)), 7);
    const int32_t shape = builder.AddConstant<int32_t>("shape", operand, wrong);
    const int32_t y = builder.AddTensor("y", {2, 2}, DType::kFloat32);
    const auto new_shape = builder.fbb.CreateVector(std::vector<int32_t>{2, -1});
    builder.AddOperator(tflite::BuiltinOperator_RESHAPE, {x, shape}, {y},
                        tflite::BuiltinOptions_ReshapeOptions,
                        tflite::CreateReshapeOptions(builder.fbb, new_shape).Union());
    const auto interpreter = Open(builder.Finish({x}, {y}));
    ASSERT_NE(interpreter, nullptr);
    EXPECT_EQ(interpreter->output_info(0).shape, (Shape{2, 2}));
  }
}

TEST(InverseSqrt, IsNearTheRealOne) {
  for (const int32_t x : {2, 3, 4, 100, 12345, 1 << 20, (1 << 29) + 1, std::numeric_limits<int32_t>::max()}) {
    const FixedPointMultiplier inverse = reference::InverseSqrt(x);
    const double real = std::ldexp(static_cast<double>(inverse.multiplier), inverse.shift - 31);
    EXPECT_NEAR(real * std::sqrt(static_cast<double>(x)), 1, 1e-5) << x;
  }
}

}  // namespace
}  // namespace qat
