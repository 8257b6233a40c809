// Kernels against plain double arithmetic written here, and against golden values of TFLite's reference
// kernels.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/random.h"
#include "quant/params.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/conv_2d.h"
#include "runtime/kernels/reference/fully_connected.h"
#include "runtime/kernels/reference/softmax.h"
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

TEST(SoftmaxUInt8, GivesTheGoldenValuesOfTflite) {
  const auto scaling = ComputeSoftmaxScaling(1, 0.1f);
  QAT_ASSERT_OK(scaling);
  EXPECT_EQ(scaling->multiplier, (FixedPointMultiplier{1717986944, 23}));
  EXPECT_EQ(scaling->diff_min, -248);
  const std::vector<uint8_t> input = {10, 20, 30, 128, 200, 205, 210, 255, 254, 250};
  std::vector<uint8_t> output(input.size());
  reference::Softmax(1, 10, *scaling, input.data(), output.data());
  EXPECT_EQ(output, (std::vector<uint8_t>{0, 0, 0, 0, 0, 1, 1, 101, 91, 61}));
}

TEST(SoftmaxUInt8, SharesEquallyAmongEqualInputs) {
  const auto scaling = ComputeSoftmaxScaling(1, 0.1f);
  const std::vector<uint8_t> ten(10, 77);
  std::vector<uint8_t> output(10);
  reference::Softmax(1, 10, *scaling, ten.data(), output.data());
  EXPECT_EQ(output, std::vector<uint8_t>(10, 26));
}

TEST(SoftmaxUInt8, StaysWithinOneStepOfTheRealSoftmax) {
  Random random(7);
  for (int trial = 0; trial < 300; ++trial) {
    const float scale = 0.002f + 0.3f * random.Uniform();
    const auto scaling = ComputeSoftmaxScaling(1, scale);
    std::vector<uint8_t> input(1 + random.Below(200)), output(input.size());
    for (uint8_t& value : input) value = static_cast<uint8_t>(random.Below(256));
    reference::Softmax(1, static_cast<int64_t>(input.size()), *scaling, input.data(), output.data());
    double sum = 0;
    for (uint8_t value : input) sum += std::exp(static_cast<double>(scale) * value);
    for (size_t i = 0; i < input.size(); ++i) {
      const double real = std::exp(static_cast<double>(scale) * input[i]) / sum;
      EXPECT_NEAR(output[i], std::min(real * 256, 255.0), 1.0);
    }
  }
}

// Where TFLite's own kernel stops the process; 256 / 600 rounds to 0.
TEST(SoftmaxUInt8, RoundsSixHundredEqualInputsToZero) {
  const auto scaling = ComputeSoftmaxScaling(1, 0.1f);
  const std::vector<uint8_t> input(600, 9);
  std::vector<uint8_t> output(600, 1);
  reference::Softmax(1, 600, *scaling, input.data(), output.data());
  EXPECT_EQ(output, std::vector<uint8_t>(600, 0));
}

TEST(SoftmaxUInt8, RefusesAScaleThatFixedPointCannotHold) {
  QAT_EXPECT_ERROR(ComputeSoftmaxScaling(0, 0.1f), ErrorCode::kUnsupported, "beta 0 times input scale 0.1");
}

TEST(SoftmaxFloat, SubtractsTheLargestFirst) {
  const std::vector<float> input = {1000, 1001};
  std::vector<float> output(2);
  reference::Softmax(1, 2, 1.0f, input.data(), output.data());
  EXPECT_NEAR(output[0], 1 / (1 + std::exp(1.0)), 1e-6);
  EXPECT_NEAR(output[1], 1 / (1 + std::exp(-1.0)), 1e-6);
}

TEST(QuantizedActivationRange, ClampsInQuantizedUnits) {
  const QuantizationParams output = {0.05f, 60};
  EXPECT_EQ(QuantizedActivationRange(Activation::kNone, output, kUInt8Limits), (QuantizedLimits{0, 255}));
  EXPECT_EQ(QuantizedActivationRange(Activation::kRelu, output, kUInt8Limits), (QuantizedLimits{60, 255}));
  EXPECT_EQ(QuantizedActivationRange(Activation::kRelu6, output, kUInt8Limits), (QuantizedLimits{60, 180}));
  EXPECT_EQ(QuantizedActivationRange(Activation::kReluN1To1, output, kUInt8Limits),
            (QuantizedLimits{40, 80}));
  // 6 lies beyond the type: its end stays.
  EXPECT_EQ(QuantizedActivationRange(Activation::kRelu6, {0.01f, 0}, kUInt8Limits),
            (QuantizedLimits{0, 255}));
}

// One convolution and its naive twin: the sum in double over a picture padded by hand, quantized at the end.
struct ConvCase {
  Conv2DAttributes attributes;
  Shape input;
  Shape filter;
};

double NaiveConvolution(const ConvCase& c, const Shape& output, const std::function<double(int64_t)>& input,
                        const std::function<double(int64_t)>& filter, const std::vector<int32_t>& at) {
  const auto& a = c.attributes;
  const auto before = [&](int32_t in, int32_t kernel, int32_t out, int32_t stride, int32_t dilation) {
    if (a.padding == Padding::kValid) return 0;
    return std::max(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - in) / 2;
  };
  const int32_t top = before(c.input[1], c.filter[1], output[1], a.stride_h, a.dilation_h);
  const int32_t left = before(c.input[2], c.filter[2], output[2], a.stride_w, a.dilation_w);
  double sum = 0;
  for (int32_t fy = 0; fy < c.filter[1]; ++fy) {
    for (int32_t fx = 0; fx < c.filter[2]; ++fx) {
      const int32_t y = at[1] * a.stride_h + fy * a.dilation_h - top;
      const int32_t x = at[2] * a.stride_w + fx * a.dilation_w - left;
      if (y < 0 || x < 0 || y >= c.input[1] || x >= c.input[2]) continue;
      for (int32_t i = 0; i < c.input[3]; ++i) {
        sum += input(((int64_t{at[0]} * c.input[1] + y) * c.input[2] + x) * c.input[3] + i) *
               filter(((int64_t{at[3]} * c.filter[1] + fy) * c.filter[2] + fx) * c.filter[3] + i);
      }
    }
  }
  return sum;
}

class Conv2DAgainstDoubles : public ::testing::TestWithParam<KernelSet> {};

TEST_P(Conv2DAgainstDoubles, StaysWithinOneStepOfTheRealConvolution) {
  const ConvCase cases[] = {
      {{0, 0, 0, 1, 1, 1, 1, Padding::kSame, Activation::kNone}, {2, 5, 6, 3}, {4, 3, 3, 3}},
      {{0, 0, 0, 2, 3, 1, 1, Padding::kSame, Activation::kNone}, {1, 7, 8, 2}, {5, 4, 2, 2}},
      {{0, 0, 0, 1, 2, 2, 1, Padding::kValid, Activation::kNone}, {1, 9, 9, 1}, {3, 3, 5, 1}},
  };
  for (const ConvCase& c : cases) {
    Random random(static_cast<uint64_t>(c.filter[0]));
    std::vector<uint8_t> x(static_cast<size_t>(FlatSize(c.input))),
        w(static_cast<size_t>(FlatSize(c.filter)));
    for (uint8_t& value : x) value = static_cast<uint8_t>(random.Below(256));
    for (uint8_t& value : w) value = static_cast<uint8_t>(random.Below(256));
    std::vector<int32_t> bias(static_cast<size_t>(c.filter[0]));
    for (int32_t& value : bias) value = random.Between(-20000, 20000);
    const auto extent = [&](int i, int32_t stride, int32_t dilation) {
      const int32_t in = c.input[static_cast<size_t>(i)],
                    reach = (c.filter[static_cast<size_t>(i)] - 1) * dilation + 1;
      return c.attributes.padding == Padding::kSame ? (in + stride - 1) / stride : (in - reach) / stride + 1;
    };
    const Shape output = {c.input[0], extent(1, c.attributes.stride_h, c.attributes.dilation_h),
                          extent(2, c.attributes.stride_w, c.attributes.dilation_w), c.filter[0]};
    ModelBuilder builder;
    const int32_t in = builder.AddTensor("x", c.input, DType::kUInt8, Quantized(0.02f, 120));
    const int32_t filter = builder.AddConstant("w", c.filter, w, Quantized(0.01f, 130));
    const int32_t b = builder.AddConstant("b", {c.filter[0]}, bias, Quantized(0.02f * 0.01f, 0));
    const int32_t out = builder.AddTensor("y", output, DType::kUInt8, Quantized(0.1f, 90));
    builder.AddConv2D(in, filter, b, out, c.attributes);
    InterpreterOptions options;
    options.kernels = GetParam();
    const std::vector<uint8_t> got = RunOn<uint8_t>(*Open(builder.Finish({in}, {out}), options), x);
    double signed_error = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      std::vector<int32_t> at(4);
      auto rest = static_cast<int32_t>(i);
      for (size_t d = 4; d-- > 0; rest /= output[d]) at[d] = rest % output[d];
      const double sum = NaiveConvolution(
          c, output, [&](int64_t k) { return x[static_cast<size_t>(k)] - 120.0; },
          [&](int64_t k) { return w[static_cast<size_t>(k)] - 130.0; }, at);
      const double real = (sum + bias[static_cast<size_t>(at[3])]) * 0.02 * 0.01 / 0.1 + 90;
      const double expected = std::clamp(real, 0.0, 255.0);
      ASSERT_NEAR(got[i], expected, 0.51) << "output " << i;
      signed_error += got[i] - expected;
    }
    // Half a step of bias in the rounding would show here.
    EXPECT_LT(std::abs(signed_error / static_cast<double>(got.size())), 0.15);
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, Conv2DAgainstDoubles,
                         ::testing::Values(KernelSet::kReference, KernelSet::kFast), [](const auto& p) {
                           return p.param == KernelSet::kReference ? "Reference" : "Fast";
                         });

TEST(AveragePool2DUInt8, RoundsTiesUpAndCountsOnlyTapsInside) {
  ModelBuilder builder;
  const int32_t in = builder.AddTensor("x", {1, 3, 3, 1}, DType::kUInt8, Quantized(1, 0));
  const int32_t out = builder.AddTensor("y", {1, 2, 2, 1}, DType::kUInt8, Quantized(1, 0));
  Pool2DAttributes a;
  a.padding = Padding::kSame;
  builder.AddPool2D(tflite::BuiltinOperator_AVERAGE_POOL_2D, in, out, a);
  // (1+2+4+7)/4 = 3.5 up; (3+8)/2 = 5.5 up; (5+6)/2 = 5.5 up; the corner alone.
  EXPECT_EQ(RunOn<uint8_t>(*Open(builder.Finish({in}, {out})), {1, 2, 3, 4, 7, 8, 5, 6, 9}),
            (std::vector<uint8_t>{4, 6, 6, 9}));
}

// The same picture less 128 and less 4: a tie goes away from zero, not up.
TEST(AveragePool2DInt8, RoundsTiesAwayFromZero) {
  ModelBuilder builder;
  const int32_t in = builder.AddTensor("x", {1, 3, 3, 1}, DType::kInt8, Quantized(1, 0));
  const int32_t out = builder.AddTensor("y", {1, 2, 2, 1}, DType::kInt8, Quantized(1, 0));
  Pool2DAttributes a;
  a.padding = Padding::kSame;
  builder.AddPool2D(tflite::BuiltinOperator_AVERAGE_POOL_2D, in, out, a);
  // (-1-2-4-7)/4 = -3.5; (-3-8)/2 = -5.5; (5+6)/2 = 5.5; the corner alone.
  EXPECT_EQ(RunOn<int8_t>(*Open(builder.Finish({in}, {out})), {-1, -2, -3, -4, -7, -8, 5, 6, -9}),
            (std::vector<int8_t>{-4, -6, 6, -9}));
}

TEST(SoftmaxInt8, GivesTheGoldenValuesOfTflite) {
  const auto scaling = ComputeSoftmaxScaling(1, 0.1f);
  const std::vector<int8_t> input = {-118, -108, -98, 0, 72, 77, 82, 127, 126, 122};
  std::vector<int8_t> output(input.size());
  reference::Softmax(1, 10, *scaling, input.data(), output.data());
  EXPECT_EQ(output, (std::vector<int8_t>{-128, -128, -128, -128, -128, -127, -127, -27, -37, -67}));
}

// x = 10, w = (1, 1) at scales 1/2 and 1/4, the output at 1: 5 and 2.5, away from zero.
TEST(Conv2DInt8, RequantizesEveryChannelByItsOwnScale) {
  for (const int32_t dimension : {0, 3}) {
    ModelBuilder builder;
    const int32_t in = builder.AddTensor("x", {1, 1, 1, 1}, DType::kInt8, Quantized(1, -5));
    const int32_t w = builder.AddConstant<int8_t>("w", {2, 1, 1, 1}, {1, -1}, {{0.5f, 0.25f}, {0, 0}, 0});
    const int32_t b = builder.AddConstant<int32_t>("b", {2}, {0, 0}, {{0.5f, 0.25f}, {0, 0}, dimension});
    const int32_t out = builder.AddTensor("y", {1, 1, 1, 2}, DType::kInt8, Quantized(1, 0));
    builder.AddConv2D(in, w, b, out, {});
    EXPECT_EQ(RunOn<int8_t>(*Open(builder.Finish({in}, {out})), {5}), (std::vector<int8_t>{5, -3}));
  }
}

TEST(Conv2DInt8, RefusesFiltersThatTheSpecificationForbids) {
  const auto refusal = [](const testing::TensorQuantization& filter) {
    ModelBuilder builder;
    const int32_t in = builder.AddTensor("x", {1, 1, 1, 2}, DType::kInt8, Quantized(1, 0));
    const int32_t w = builder.AddConstant<int8_t>("w", {2, 1, 1, 2}, {1, 1, 1, 1}, filter);
    const int32_t b = builder.AddConstant<int32_t>("b", {2}, {0, 0}, Quantized(1, 0));
    const int32_t out = builder.AddTensor("y", {1, 1, 1, 2}, DType::kInt8, Quantized(1, 0));
    builder.AddConv2D(in, w, b, out, {});
    const auto model = RunnableFromBytes(builder.Finish({in}, {out}), "m.tflite");
    QAT_CHECK(model.ok());
    return Interpreter::Create(*model);
  };
  QAT_EXPECT_ERROR(refusal({{1}, {3}, 0}), ErrorCode::kCorrupt, "filter zero point is 3, expected 0");
  QAT_EXPECT_ERROR(refusal({{1, 1}, {0, 0}, 3}), ErrorCode::kCorrupt,
                   "2 scales along dimension 3, expected 2 along 0");
  QAT_EXPECT_ERROR(refusal({}), ErrorCode::kCorrupt, "has no scale");
  QAT_EXPECT_ERROR(refusal({{1e30f, 1}, {0, 0}, 0}), ErrorCode::kCorrupt, "expected below 2^30");
}

TEST(MaxPool2DFloat, IgnoresWhatLiesOutsideTheImage) {
  ModelBuilder builder;
  const int32_t in = builder.AddTensor("x", {1, 3, 3, 1}, DType::kFloat32);
  const int32_t out = builder.AddTensor("y", {1, 2, 2, 1}, DType::kFloat32);
  Pool2DAttributes a;
  a.padding = Padding::kSame;
  builder.AddPool2D(tflite::BuiltinOperator_MAX_POOL_2D, in, out, a);
  EXPECT_EQ(RunOn<float>(*Open(builder.Finish({in}, {out})), {-1, -2, -3, -4, -7, -8, -5, -6, -9}),
            (std::vector<float>{-1, -3, -5, -9}));
}

TEST(FullyConnected, WrapsItsAccumulatorInsteadOfFailing) {
  ModelBuilder builder;
  const int32_t in = builder.AddTensor("x", {1, 1}, DType::kUInt8, Quantized(1, 0));
  const int32_t w = builder.AddConstant<uint8_t>("w", {1, 1}, {255}, Quantized(1, 0));
  const int32_t b = builder.AddConstant<int32_t>("b", {1}, {2147483647}, Quantized(1, 0));
  const int32_t out = builder.AddTensor("y", {1, 1}, DType::kUInt8, Quantized(1, 0));
  builder.AddFullyConnected(in, w, b, out, Activation::kNone);
  const auto interpreter = Open(builder.Finish({in}, {out}));
  EXPECT_EQ(RunOn<uint8_t>(*interpreter, {0}), std::vector<uint8_t>{255});
  EXPECT_EQ(RunOn<uint8_t>(*interpreter, {1}), std::vector<uint8_t>{0}) << "past 2^31 the sum is negative";
}

TEST(ArgMax, WorksAlongAnyAxis) {
  for (const int32_t axis : {0, 1, -1}) {
    ModelBuilder builder;
    const int32_t in = builder.AddTensor("x", {2, 3}, DType::kUInt8, Quantized(1, 0));
    const Shape shape = axis == 0 ? Shape{3} : Shape{2};
    const int32_t out = builder.AddTensor("y", shape, DType::kInt64);
    builder.AddArgMax(in, axis, out, DType::kInt64);
    const auto interpreter = Open(builder.Finish({in}, {out}));
    const std::vector<uint8_t> input = {5, 9, 9, 6, 1, 2};
    std::copy(input.begin(), input.end(), interpreter->input(0).begin());
    interpreter->Invoke();
    std::vector<int64_t> got(static_cast<size_t>(shape[0]));
    std::memcpy(got.data(), interpreter->output(0).data(), interpreter->output(0).size());
    EXPECT_EQ(got, axis == 0 ? (std::vector<int64_t>{1, 0, 0}) : (std::vector<int64_t>{1, 0})) << axis;
  }
}

}  // namespace
}  // namespace qat
