#include "runtime/interpreter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <new>

#include "runtime/prepared_model.h"
#include "runtime/runnable_model.h"
#include "support/model_builder.h"
#include "support/random_conversions.h"
#include "support/random_models.h"
#include "support/random_operators.h"
#include "support/run_model.h"
#include "support/test_util.h"

namespace {
// Counts every allocation of the process while it is on.
bool counting = false;
size_t allocations = 0;
}  // namespace

[[gnu::noinline]] void* operator new(size_t size, const std::nothrow_t&) noexcept {
  if (counting) ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void* operator new(size_t size) {
  if (void* memory = operator new(size, std::nothrow)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace qat {
namespace {

using testing::ModelBuilder;
using testing::Open;
using testing::Quantized;
using testing::RunOn;

// Two fully connected layers over [1, 4]; the first bias is `bias`.
std::vector<uint8_t> TwoLayers(int32_t bias) {
  ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 4}, DType::kUInt8, Quantized(0.5f, 10));
  const int32_t w = builder.AddConstant<uint8_t>("w", {2, 4}, {1, 2, 3, 4, 9, 8, 7, 6}, Quantized(0.25f, 5));
  const int32_t b = builder.AddConstant<int32_t>("b", {2}, {bias, -bias}, Quantized(0.125f, 0));
  const int32_t hidden = builder.AddTensor("hidden", {1, 2}, DType::kUInt8, Quantized(1, 100));
  const int32_t v = builder.AddConstant<uint8_t>("v", {1, 2}, {7, 8}, Quantized(0.5f, 5));
  const int32_t output = builder.AddTensor("y", {1, 1}, DType::kUInt8, Quantized(0.5f, 3));
  builder.AddFullyConnected(input, w, b, hidden, Activation::kNone);
  builder.AddFullyConnected(hidden, v, -1, output, Activation::kNone);
  return builder.Finish({input}, {output});
}

TEST(Interpreter, RunsAHandComputedModel) {
  const auto interpreter = Open(TwoLayers(8));
  // (x - 10) = {1, 2, 3, 4}; rows w - 5 = {-4, -3, -2, -1} and {4, 3, 2, 1}: sums -20 + 8 and 20 - 8, times
  // 0.125. hidden: 100 + round(-1.5) = 98, 100 + round(1.5) = 102; y: (-2 * 2 + 2 * 3) * 0.5 / 0.5 + 3 = 5.
  EXPECT_EQ(RunOn<uint8_t>(*interpreter, {11, 12, 13, 14}), std::vector<uint8_t>{5});
}

TEST(Interpreter, KeepsItsInputForAnotherInvoke) {
  const auto interpreter = Open(TwoLayers(8));
  RunOn<uint8_t>(*interpreter, {11, 12, 13, 14});
  interpreter->Invoke();
  EXPECT_EQ(interpreter->output(0)[0], 5);
  EXPECT_EQ(interpreter->input(0)[3], 14);
}

TEST(Interpreter, ShowsIntermediatesOnlyWhenAskedToKeepThem) {
  const auto plain = Open(TwoLayers(8));
  QAT_EXPECT_ERROR(plain->tensor(3), ErrorCode::kInvalidArgument, "intermediate");
  QAT_EXPECT_ERROR(plain->tensor(99), ErrorCode::kInvalidArgument, "tensor 99");
  InterpreterOptions options;
  options.keep_intermediates = true;
  const auto keeping = Open(TwoLayers(8), options);
  RunOn<uint8_t>(*keeping, {11, 12, 13, 14});
  const auto hidden = keeping->tensor(3);
  QAT_ASSERT_OK(hidden);
  EXPECT_EQ((*hidden)[0], 98);
  EXPECT_EQ((*hidden)[1], 102);
  EXPECT_EQ((*keeping->tensor(1))[7], 6) << "constants are readable too";
}

TEST(Interpreter, RunOneByOneItsNodesShowTheirOutputs) {
  const auto interpreter = Open(TwoLayers(8));
  const std::vector<uint8_t> input = {11, 12, 13, 14};
  std::copy(input.begin(), input.end(), interpreter->input(0).begin());
  interpreter->InvokeNode(0);
  const auto hidden = interpreter->tensor(3);
  QAT_ASSERT_OK(hidden);
  EXPECT_EQ((*hidden)[0], 98);
  interpreter->InvokeNode(1);
  EXPECT_EQ(interpreter->output(0)[0], 5);
  EXPECT_FALSE(interpreter->tensor(3).ok()) << "the next node has run";
}

size_t AllocationsOfInvoke(const testing::RandomModel& random, const InterpreterOptions& options) {
  const auto interpreter = Open(random.bytes, options);
  std::copy(random.input.begin(), random.input.end(), interpreter->input(0).begin());
  allocations = 0;
  counting = true;
  interpreter->Invoke();
  counting = false;
  return allocations;
}

TEST(Interpreter, InvokeAllocatesNothing) {
  std::vector<InterpreterOptions> all(1);
  all[0].kernels = KernelSet::kReference;
  for (Isa isa : AvailableIsas()) {
    all.emplace_back();
    all.back().isa = isa;
  }
  for (uint64_t seed = 0; seed < 60; ++seed) {
    for (const InterpreterOptions& options : all) {
      const testing::RandomModel random = testing::MakeRandomModel(seed);
      EXPECT_EQ(AllocationsOfInvoke(random, options), 0u) << random.description;
      EXPECT_EQ(AllocationsOfInvoke(testing::MakeWideRandomModel(seed), options), 0u);
      EXPECT_EQ(AllocationsOfInvoke(testing::MakeRandomOperator(seed), options), 0u);
      EXPECT_EQ(AllocationsOfInvoke(testing::MakeRandomConversion(seed), options), 0u);
    }
  }
  counting = true;
  ::operator delete(::operator new(1));
  counting = false;
  EXPECT_EQ(allocations, 1u) << "the counter itself must work";
}

TEST(Interpreter, AlignsInputsAndOutputsToACacheLine) {
  const auto interpreter = Open(TwoLayers(8));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(interpreter->input(0).data()) % 64, 0u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(interpreter->output(0).data()) % 64, 0u);
}

// 1 * 1 * 0.5: the sum 1 lies half way between two steps; doubles round it away from zero once, the
// multiplier 2^30 * 2^0 rounds the sum -1 up to 0 first.
std::vector<uint8_t> HalfWayModel(int64_t output_zero_point) {
  ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 1}, DType::kUInt8, Quantized(1, 100));
  const int32_t w = builder.AddConstant<uint8_t>("w", {1, 1}, {2}, Quantized(1, 1));
  const int32_t output = builder.AddTensor("y", {1, 1}, DType::kUInt8, Quantized(2, output_zero_point));
  builder.AddFullyConnected(input, w, -1, output, Activation::kNone);
  return builder.Finish({input}, {output});
}

TEST(ArithmeticProfile, DecidesHowFullyConnectedRoundsHalves) {
  InterpreterOptions classic;
  classic.profile = ArithmeticProfile::kTfliteClassic;
  const auto today = Open(HalfWayModel(50));
  const auto older = Open(HalfWayModel(50), classic);
  // -0.5: rounded away from zero today, up by the multiplier.
  EXPECT_EQ(RunOn<uint8_t>(*today, {99}), std::vector<uint8_t>{49});
  EXPECT_EQ(RunOn<uint8_t>(*older, {99}), std::vector<uint8_t>{50});
  // +0.5 and whole steps agree.
  EXPECT_EQ(RunOn<uint8_t>(*today, {101}), std::vector<uint8_t>{51});
  EXPECT_EQ(RunOn<uint8_t>(*older, {101}), std::vector<uint8_t>{51});
  EXPECT_EQ(RunOn<uint8_t>(*today, {96}), std::vector<uint8_t>{48});
  EXPECT_EQ(RunOn<uint8_t>(*older, {96}), std::vector<uint8_t>{48});
}

TEST(Interpreter, GivesEachExampleOfABatchWhatItGivesItAlone) {
  InterpreterOptions three;
  three.input_shapes = {{3, 4}};
  const auto batch = Open(TwoLayers(8), three);
  const auto single = Open(TwoLayers(8));
  EXPECT_EQ(batch->output_info(0).shape, (Shape{3, 1}));
  const std::vector<uint8_t> images = {11, 12, 13, 14, 0, 255, 7, 9, 100, 90, 80, 70};
  const std::vector<uint8_t> together = RunOn<uint8_t>(*batch, images);
  ASSERT_EQ(together.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(RunOn<uint8_t>(*single, {images.begin() + 4 * i, images.begin() + 4 * i + 4})[0], together[i]);
  }
}

TEST(Interpreter, RefusesInputShapesThatDoNotFit) {
  auto model = RunnableFromBytes(TwoLayers(8), "m.tflite");
  QAT_ASSERT_OK(model);
  InterpreterOptions options;
  options.input_shapes = {{1, 5}};
  QAT_EXPECT_ERROR(Interpreter::Create(*model, options), ErrorCode::kInvalidArgument,
                   "m.tflite: operator 0 (FULLY_CONNECTED): filter [2, 4] takes rows of 4, the input [1, 5]");
  options.input_shapes = {{4}};
  QAT_EXPECT_ERROR(Interpreter::Create(*model, options), ErrorCode::kInvalidArgument,
                   "m.tflite: input 'x' is [1, 4], cannot be [4]");
  options.input_shapes = {{1, 4}, {1, 4}};
  QAT_EXPECT_ERROR(Interpreter::Create(*model, options), ErrorCode::kInvalidArgument, "2 input shapes for 1");
}

TEST(Interpreter, SharesKernelsWithThoseOfTheSameModelAndOptions) {
  auto model = RunnableFromBytes(TwoLayers(8), "m.tflite");
  QAT_ASSERT_OK(model);
  const auto first = SharedPreparation(*model, {});
  const auto second = SharedPreparation(*model, {});
  QAT_ASSERT_OK(first);
  QAT_ASSERT_OK(second);
  EXPECT_EQ(first->get(), second->get());
  InterpreterOptions reference;
  reference.kernels = KernelSet::kReference;
  const auto other = SharedPreparation(*model, reference);
  QAT_ASSERT_OK(other);
  EXPECT_NE(first->get(), other->get());
}

TEST(Interpreter, MakesAConstantOfWhatReadsOnlyConstants) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {2}, DType::kFloat32);
  const int32_t stored = builder.AddConstant<int8_t>("stored", {2}, {3, -4}, Quantized(0.5f, 1));
  const int32_t real = builder.AddTensor("real", {2}, DType::kFloat32);
  const int32_t y = builder.AddTensor("y", {2}, DType::kFloat32);
  builder.AddOperator(tflite::BuiltinOperator_DEQUANTIZE, {stored}, {real});
  builder.AddOperator(tflite::BuiltinOperator_ADD, {x, real}, {y});
  const auto interpreter = Open(builder.Finish({x}, {y}));
  EXPECT_EQ(RunOn<float>(*interpreter, {10, 20}), (std::vector<float>{11, 17.5f}));
  EXPECT_EQ(interpreter->KernelNames()[0], "dequantize/folded");
}

// x -> relu a -> relu6 b -> b + a: b may not lie over a, the sum may lie over either.
TEST(Interpreter, LaysAResultOnlyOverWhatNobodyReadsAnyMore) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {64}, DType::kFloat32);
  const int32_t a = builder.AddTensor("a", {64}, DType::kFloat32);
  const int32_t b = builder.AddTensor("b", {64}, DType::kFloat32);
  const int32_t sum = builder.AddTensor("sum", {64}, DType::kFloat32);
  const int32_t y = builder.AddTensor("y", {8, 8}, DType::kFloat32);
  builder.AddOperator(tflite::BuiltinOperator_RELU, {x}, {a});
  builder.AddOperator(tflite::BuiltinOperator_RELU6, {a}, {b});
  builder.AddOperator(tflite::BuiltinOperator_ADD, {b, a}, {sum});
  builder.AddReshape(sum, {8, 8}, y);
  const auto interpreter = Open(builder.Finish({x}, {y}));
  std::vector<float> input(64), expected(64);
  for (size_t i = 0; i < 64; ++i) {
    input[i] = static_cast<float>(i) - 20;
    expected[i] = std::max(input[i], 0.0f) + std::clamp(input[i], 0.0f, 6.0f);
  }
  EXPECT_EQ(RunOn<float>(*interpreter, input), expected);
  EXPECT_EQ(RunOn<float>(*interpreter, input), expected) << "the input is still there";
  EXPECT_EQ(interpreter->arena_size(), 3 * 256u) << "x, a, and b with all that follows";
  EXPECT_EQ(interpreter->arena_peak(), 3 * 256u);
}

// A batch that the file leaves open runs at any size, though what flattens it is computed from its shape.
TEST(Interpreter, FollowsAnOpenBatchThroughComputedShapes) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const testing::RandomModel random = testing::MakeRandomConversion(seed);
    if (random.description.find("flattened") == std::string::npos) continue;
    auto model = RunnableFromBytes(random.bytes, "m.tflite");
    QAT_ASSERT_OK(model);
    InterpreterOptions options;
    options.input_shapes = {(*model)->tensors()[static_cast<size_t>((*model)->inputs()[0])].shape};
    options.input_shapes[0][0] = 5;
    const auto interpreter = Interpreter::Create(*model, options);
    QAT_ASSERT_OK(interpreter);
    EXPECT_EQ((*interpreter)->output_info(0).shape[0], 5);
    EXPECT_EQ((*interpreter)->KernelNames()[2], "pack/folded");
  }
}

// Tensors without a recorded shape between SHAPE and the size of a RESIZE: they are what their operators make
// of them.
TEST(Interpreter, WorksOutShapesThatTheFileDoesNotRecord) {
  ModelBuilder builder;
  const auto unknown = [&](const char* name, tflite::TensorType type) {
    return builder.Add(name, {}, type, {}, 0);
  };
  const int32_t x = builder.AddTensor("x", {1, 2, 3, 1}, DType::kFloat32);
  const int32_t shape = unknown("shape", tflite::TensorType_INT32);
  const int32_t row = unknown("row", tflite::TensorType_INT32);
  const int32_t twice = unknown("twice", tflite::TensorType_INT32);
  const int32_t size = unknown("size", tflite::TensorType_INT32);
  const int32_t resized = unknown("resized", tflite::TensorType_FLOAT32);
  const int32_t y = unknown("y", tflite::TensorType_FLOAT32);
  const int32_t one = builder.AddConstant<int32_t>("one", {1}, {1});
  const int32_t two = builder.AddConstant<int32_t>("two", {1}, {2});
  const int32_t factor = builder.AddConstant<int32_t>("factor", {}, {2});
  builder.AddOperator(tflite::BuiltinOperator_SHAPE, {x}, {shape});
  builder.AddOperator(tflite::BuiltinOperator_STRIDED_SLICE, {shape, one, two, one}, {row},
                      tflite::BuiltinOptions_StridedSliceOptions,
                      tflite::CreateStridedSliceOptions(builder.fbb, 0, 0, 0, 0, 1).Union());
  builder.AddOperator(tflite::BuiltinOperator_MUL, {row, factor}, {twice});
  builder.AddOperator(tflite::BuiltinOperator_PACK, {twice, twice}, {size},
                      tflite::BuiltinOptions_PackOptions,
                      tflite::CreatePackOptions(builder.fbb, 2, 0).Union());
  builder.AddOperator(tflite::BuiltinOperator_RESIZE_NEAREST_NEIGHBOR, {x, size}, {resized});
  builder.AddOperator(tflite::BuiltinOperator_RELU, {resized}, {y});
  const auto interpreter = Open(builder.Finish({x}, {y}));
  ASSERT_NE(interpreter, nullptr);
  EXPECT_EQ(interpreter->output_info(0).shape, (Shape{1, 4, 4, 1}));
  EXPECT_EQ(RunOn<float>(*interpreter, {1, 2, 3, 4, 5, 6}),
            (std::vector<float>{1, 1, 2, 3, 1, 1, 2, 3, 4, 4, 5, 6, 4, 4, 5, 6}));
}

TEST(Model, ListsAllThatCannotRunByOperatorTypeAndVersion) {
  ModelBuilder builder;
  const int32_t x = builder.AddTensor("x", {1, 4}, DType::kInt16, Quantized(0.5f, 0));
  const int32_t y = builder.AddTensor("y", {1, 4}, DType::kInt16, Quantized(1.0f / 256, 0));
  const int32_t z = builder.AddTensor("z", {1, 4}, DType::kInt16, Quantized(1.0f / 256, 0));
  builder.AddOperator(tflite::BuiltinOperator_HARD_SWISH, {x}, {y});
  builder.AddOperator(tflite::BuiltinOperator_SVDF, {y}, {z});
  const auto model = RunnableFromBytes(builder.Finish({x}, {z}), "m.tflite");
  QAT_EXPECT_ERROR(
      model, ErrorCode::kUnsupported,
      "m.tflite: not supported: SVDF version 1 (operator 1); "
      "HARD_SWISH version 1: no kernel for inputs of type int16 and output of type int16 (operator 0)");
}

TEST(Interpreter, ReadsModelsWhoseActivationsOwnEmptyBuffers) {
  ModelBuilder builder;
  builder.own_empty_buffers = true;
  const int32_t input = builder.AddTensor("x", {1, 4}, DType::kFloat32);
  const int32_t output = builder.AddTensor("y", {2, 2}, DType::kFloat32);
  builder.AddReshape(input, {2, 2}, output);
  const auto interpreter = Open(builder.Finish({input}, {output}));
  ASSERT_NE(interpreter, nullptr);
  EXPECT_EQ(RunOn<float>(*interpreter, {1, 2, 3, 4}), (std::vector<float>{1, 2, 3, 4}));
}

TEST(Interpreter, RefusesARecordedShapeThatItsOperatorDoesNotMake) {
  ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 4, 4, 1}, DType::kFloat32);
  const int32_t output = builder.AddTensor("pooled", {1, 3, 2, 1}, DType::kFloat32);
  builder.AddPool2D(tflite::BuiltinOperator_MAX_POOL_2D, input, output, {});
  auto model = RunnableFromBytes(builder.Finish({input}, {output}), "m.tflite");
  QAT_ASSERT_OK(model);
  QAT_EXPECT_ERROR(
      Interpreter::Create(*model), ErrorCode::kCorrupt,
      "m.tflite: operator 0 (MAX_POOL_2D): output 'pooled' is [1, 3, 2, 1], expected [1, 2, 2, 1]");
}

TEST(Interpreter, RefusesAPoolThatChangesTheScale) {
  ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 4, 4, 1}, DType::kUInt8, Quantized(0.5f, 0));
  const int32_t output = builder.AddTensor("y", {1, 2, 2, 1}, DType::kUInt8, Quantized(0.25f, 0));
  builder.AddPool2D(tflite::BuiltinOperator_MAX_POOL_2D, input, output, {});
  auto model = RunnableFromBytes(builder.Finish({input}, {output}), "m.tflite");
  QAT_ASSERT_OK(model);
  QAT_EXPECT_ERROR(Interpreter::Create(*model), ErrorCode::kCorrupt,
                   "output scale 0.25 and zero point 0, expected 0.5 and 0");
}

TEST(Interpreter, RefusesABiasInOtherUnits) {
  ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 1}, DType::kUInt8, Quantized(0.5f, 0));
  const int32_t w = builder.AddConstant<uint8_t>("w", {1, 1}, {2}, Quantized(0.5f, 0));
  const int32_t b = builder.AddConstant<int32_t>("b", {1}, {3}, Quantized(0.5f, 0));
  const int32_t output = builder.AddTensor("y", {1, 1}, DType::kUInt8, Quantized(1, 0));
  builder.AddFullyConnected(input, w, b, output, Activation::kNone);
  auto model = RunnableFromBytes(builder.Finish({input}, {output}), "m.tflite");
  QAT_ASSERT_OK(model);
  QAT_EXPECT_ERROR(Interpreter::Create(*model), ErrorCode::kCorrupt, "bias scale is 0.5");
}

TEST(Interpreter, ListsEveryOperatorWhoseTypesHaveNoKernel) {
  ModelBuilder builder;
  const int32_t input = builder.AddTensor("x", {1, 4}, DType::kInt16, Quantized(0.5f, 0));
  const int32_t middle = builder.AddTensor("y", {1, 4}, DType::kInt16, Quantized(1.0f / 256, 0));
  const int32_t output = builder.AddTensor("z", {1}, DType::kInt32);
  builder.AddOperator(tflite::BuiltinOperator_HARD_SWISH, {input}, {middle});
  builder.AddArgMax(middle, 1, output, DType::kInt32);
  auto model = RunnableFromBytes(builder.Finish({input}, {output}), "m.tflite");
  QAT_ASSERT_OK(model);
  QAT_EXPECT_ERROR(
      Interpreter::Create(*model), ErrorCode::kUnsupported,
      "m.tflite: not supported: HARD_SWISH version 1: no kernel for inputs of type int16 and output of type "
      "int16 "
      "(operator 0); ARG_MAX version 1: no kernel for inputs of type int16, int32 and output of type int32 "
      "(operator 1)");
}

}  // namespace
}  // namespace qat
