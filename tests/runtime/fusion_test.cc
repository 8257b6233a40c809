// Which nodes run as part of another one; that outputs stay the same bytes is shown over random shapes in
// kernels/fast_kernels_test.cc.
#include <gtest/gtest.h>

#include "runtime/interpreter.h"
#include "support/model_builder.h"
#include "support/run_model.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::ModelBuilder;
using testing::Open;
using testing::Quantized;

constexpr int32_t kConvOutput = 3;

// A 2x2 convolution over [1, 6, 6, 1] of ones, which sums the window, and a max pool over its output.
struct ConvAndPool {
  Pool2DAttributes pool = {};
  Activation conv_activation = Activation::kNone;
  bool second_reader = false;
  bool conv_is_output = false;

  std::vector<uint8_t> Bytes() const {
    ModelBuilder builder;
    const int32_t input = builder.AddTensor("x", {1, 6, 6, 1}, DType::kUInt8, Quantized(1, 0));
    const int32_t filter = builder.AddConstant<uint8_t>("w", {1, 2, 2, 1}, {1, 1, 1, 1}, Quantized(1, 0));
    const int32_t bias = builder.AddConstant<int32_t>("b", {1}, {-20}, Quantized(1, 0));
    Conv2DAttributes conv;
    conv.activation = conv_activation;
    const int32_t sums = builder.AddTensor("sums", {1, 6, 6, 1}, DType::kUInt8, Quantized(2, 30));
    builder.AddConv2D(input, filter, bias, sums, conv);
    const int32_t side = (6 - pool.filter_h) / pool.stride_h + 1;
    const auto add_pool = [&](const char* name) {
      const int32_t output = builder.AddTensor(name, {1, side, side, 1}, DType::kUInt8, Quantized(2, 30));
      builder.AddPool2D(tflite::BuiltinOperator_MAX_POOL_2D, sums, output, pool);
      return output;
    };
    std::vector<int32_t> outputs = {add_pool("largest")};
    if (second_reader) outputs.push_back(add_pool("again"));
    if (conv_is_output) outputs.push_back(sums);
    return builder.Finish({input}, outputs);
  }
};

// On the first instruction set with vectors; null: this machine has none.
std::unique_ptr<Interpreter> OpenFast(const ConvAndPool& net, InterpreterOptions options = {}) {
  if (AvailableIsas().size() < 2) return nullptr;
  options.isa = AvailableIsas()[1];
  return Open(net.Bytes(), options);
}

std::vector<uint8_t> RunOnRamp(Interpreter& interpreter) {
  for (size_t i = 0; i < interpreter.input(0).size(); ++i)
    interpreter.input(0)[i] = static_cast<uint8_t>(7 * i % 36);
  interpreter.Invoke();
  return {interpreter.output(0).begin(), interpreter.output(0).end()};
}

std::string PoolKernel(const ConvAndPool& net, const InterpreterOptions& options = {}) {
  const auto interpreter = OpenFast(net, options);
  return interpreter->KernelNames()[1];
}

class Fusion : public ::testing::Test {
 protected:
  void SetUp() override {
    if (AvailableIsas().size() < 2) GTEST_SKIP() << "this machine has no vectors";
  }
};

TEST_F(Fusion, AMaxPoolRunsInTheConvolutionBeforeIt) {
  const auto interpreter = OpenFast({});
  EXPECT_EQ(interpreter->KernelNames()[1], "max_pool_2d/fused");
  InterpreterOptions reference;
  reference.kernels = KernelSet::kReference;
  EXPECT_EQ(RunOnRamp(*interpreter), RunOnRamp(*Open(ConvAndPool{}.Bytes(), reference)));
}

TEST_F(Fusion, WhatLiesBetweenHasNoMemory) {
  const auto fused = OpenFast({});
  QAT_EXPECT_ERROR(fused->tensor(kConvOutput), ErrorCode::kInvalidArgument, "intermediate");
  fused->InvokeNode(0);
  QAT_EXPECT_ERROR(fused->tensor(kConvOutput), ErrorCode::kInvalidArgument, "within a fused one");
  InterpreterOptions reference;
  reference.kernels = KernelSet::kReference;
  EXPECT_LT(fused->activation_size(), Open(ConvAndPool{}.Bytes(), reference)->activation_size());
}

TEST_F(Fusion, ClampsOfBothActivationsHold) {
  ConvAndPool net{.conv_activation = Activation::kRelu};
  net.pool.activation = Activation::kRelu6;
  const auto interpreter = OpenFast(net);
  EXPECT_EQ(interpreter->KernelNames()[1], "max_pool_2d/fused");
  const std::vector<uint8_t> output = RunOnRamp(*interpreter);
  for (const uint8_t value : output) {
    EXPECT_GE(value, 30) << "0 on this scale";
    EXPECT_LE(value, 33) << "6 on this scale";
  }
}

TEST_F(Fusion, NotWhereSomebodyElseReadsTheConvolution) {
  EXPECT_NE(PoolKernel({.second_reader = true}), "max_pool_2d/fused");
  EXPECT_NE(PoolKernel({.conv_is_output = true}), "max_pool_2d/fused");
  InterpreterOptions keeping;
  keeping.keep_intermediates = true;
  EXPECT_NE(PoolKernel({}, keeping), "max_pool_2d/fused");
}

TEST_F(Fusion, NotWhereWindowsOverlapOrReachTooFar) {
  EXPECT_EQ(PoolKernel({.pool = {3, 3, 3, 3}}), "max_pool_2d/fused");
  EXPECT_NE(PoolKernel({.pool = {3, 3, 1, 1}}), "max_pool_2d/fused");
  EXPECT_NE(PoolKernel({.pool = {6, 6, 6, 6}}), "max_pool_2d/fused") << "36 values";
}

TEST_F(Fusion, NotInTheReference) {
  InterpreterOptions reference;
  reference.kernels = KernelSet::kReference;
  EXPECT_EQ(Open(ConvAndPool{}.Bytes(), reference)->KernelNames()[1], "max_pool_2d/reference");
}

}  // namespace
}  // namespace qat
