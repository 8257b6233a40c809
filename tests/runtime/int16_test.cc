// int16 activations with int8 filters: values worked out by hand, and what is refused. Byte for byte over
// random cases:
// tests/conformance.
#include <gtest/gtest.h>

#include <cmath>

#include "quant/fixed_point.h"
#include "quant/power_of_two.h"
#include "runtime/kernels/reference/int16_sigmoid.h"
#include "runtime/kernels/reference/int16_softmax.h"
#include "runtime/kernels/reference/lookup.h"
#include "support/model_builder.h"
#include "support/run_model.h"
#include "support/test_util.h"

namespace qat {
namespace {

using testing::ModelBuilder;
using testing::Open;
using testing::Quantized;
using testing::RunOn;

TEST(WideMultiplier, RoundsTheMultiplierTo16BitsAndTheProductOnceHalvesUp) {
  const FixedPointMultiplier half = QuantizeMultiplier(0.5);
  EXPECT_EQ(MultiplyWideByQuantizedMultiplier(int64_t{3}, half), 2);
  EXPECT_EQ(MultiplyWideByQuantizedMultiplier(int64_t{-3}, half), -1);
  // 2^40 * 2^-30, a sum that no int32 holds.
  EXPECT_EQ(MultiplyWideByQuantizedMultiplier(int64_t{1} << 40, QuantizeMultiplier(std::ldexp(1.0, -30))),
            1024);
  // 1 - 2^-20 has no 16 bits: 0x7fff / 2^15.
  EXPECT_EQ(MultiplyWideByQuantizedMultiplier(int64_t{1} << 20, QuantizeMultiplier(1 - std::ldexp(1.0, -20))),
            (int64_t{0x7fff} << 20) >> 15);
}

TEST(PowerOfTwo, TakesWhatLiesWithinAThousandthOfTheExponent) {
  EXPECT_EQ(Log2OfPowerOfTwo(0.125f), -3);
  EXPECT_EQ(Log2OfPowerOfTwo(0.125f * 1.0006f), -3);
  EXPECT_EQ(Log2OfPowerOfTwo(0.125f * 1.0008f), std::nullopt);
  EXPECT_EQ(Log2OfPowerOfTwo(0.0f), std::nullopt);
}

// Straight lines between 513 values: exact for a line, near for a curve.
TEST(Int16Table, InterpolatesBetween513Values) {
  const auto line =
      reference::MakeInt16Table<float>(1.0f / 1024, 0, 1.0f / 2048, 0, [](float x) { return x / 4; });
  for (const int q : {-32768, -1000, -1, 0, 77, 128, 32767})
    EXPECT_NEAR(reference::LookUp(line, static_cast<int16_t>(q)), q / 2.0, 1) << q;
  const auto curve = reference::MakeInt16Table<float>(4.0f / 32768, 0, 60.0f / 32768, 0,
                                                      [](float x) { return std::exp(x); });
  for (int q = -32768; q < 32768; q += 257) {
    const double real = std::exp(q * 4.0 / 32768) * 32768 / 60;
    // Pieces are 127.998 steps wide in the table and 128 where it is read.
    EXPECT_NEAR(reference::LookUp(curve, static_cast<int16_t>(q)), real, 6) << q;
  }
}

TEST(Int16Sigmoid, LiesWithinAFewStepsOfTheFunctions) {
  for (const float scale : {1.0f / 4096, 3e-4f, 1e-3f}) {
    const auto logistic = reference::ComputeInt16SigmoidScaling(scale, false);
    const auto tanh = reference::ComputeInt16SigmoidScaling(scale, true);
    for (int q = -32768; q < 32768; q += 123) {
      const double x = static_cast<double>(scale) * q;
      const auto value = static_cast<int16_t>(q);
      EXPECT_NEAR(reference::Int16Logistic(logistic, value), std::min(32768 / (1 + std::exp(-x)), 32767.0),
                  12)
          << x;
      EXPECT_NEAR(reference::Int16Tanh(tanh, value), std::min(32768 * std::tanh(x), 32767.0), 24) << x;
    }
  }
}

TEST(Int16Softmax, SumsUpToOne) {
  const auto softmax = reference::Int16Softmax::Make(1.0f, 1e-3f);
  ASSERT_TRUE(softmax.ok());
  const std::vector<int16_t> input = {1000, 2000, -3000, 0, 2000};
  std::vector<int16_t> output(input.size());
  softmax->Run(1, 5, input.data(), output.data());
  double sum = 0;
  for (const int16_t q : input) sum += std::exp(q * 1e-3);
  for (size_t i = 0; i < input.size(); ++i)
    EXPECT_NEAR(output[i], 32768 * std::exp(input[i] * 1e-3) / sum, 8) << i;
  EXPECT_FALSE(reference::Int16Softmax::Make(-1.0f, 1.0f).ok());
}

// One fully connected unit of depth `weights`, output scale 1, and what is refused in it.
struct Dense {
  std::vector<int8_t> weights;
  std::vector<int64_t> bias64;
  std::vector<int32_t> bias32;
  DType bias_type = DType::kFloat32;
  float output_scale = 1;
  int64_t input_zero_point = 0;

  std::vector<uint8_t> Build() const {
    ModelBuilder builder;
    const auto depth = static_cast<int32_t>(weights.size());
    const int32_t x = builder.AddTensor("x", {1, depth}, DType::kInt16, Quantized(0.5f, input_zero_point));
    const int32_t filter = builder.AddConstant("filter", {1, depth}, weights, Quantized(0.25f, 0));
    const int32_t bias = !bias64.empty()   ? builder.AddConstant("bias", {1}, bias64, Quantized(0.125f, 0))
                         : !bias32.empty() ? builder.AddConstant("bias", {1}, bias32, Quantized(0.125f, 0))
                                           : -1;
    const int32_t y = builder.AddTensor("y", {1, 1}, DType::kInt16, Quantized(output_scale, 0));
    builder.AddFullyConnected(x, filter, bias, y, Activation::kNone, false, bias_type);
    return builder.Finish({x}, {y});
  }
  int16_t Run(const std::vector<int16_t>& input) const {
    const auto interpreter = Open(Build());
    return interpreter == nullptr ? int16_t{-1} : RunOn<int16_t>(*interpreter, input)[0];
  }
  std::string Refusal() const {
    auto model = RunnableFromBytes(Build(), "test.tflite");
    if (!model.ok()) return model.error().message;
    const auto interpreter = Interpreter::Create(*model);
    return interpreter.ok() ? "" : interpreter.error().message;
  }
};

TEST(Int16FullyConnected, SumsIn64BitsWithABiasOfThem) {
  // (100 * 3 - 200 * 5 + 8) / 8 = -86.5, away from zero.
  EXPECT_EQ((Dense{{3, -5}, {8}, {}}.Run({100, 200})), -87);
  // A sum beyond int32: 2000 * 32767 * 127 / 8, by the output scale 2^17.
  Dense wide{std::vector<int8_t>(2000, 127), {}, {}};
  wide.output_scale = 131072;
  const double expected = 2000.0 * 32767 * 127 / 8 / 131072;
  EXPECT_EQ(wide.Run(std::vector<int16_t>(2000, 32767)), static_cast<int16_t>(std::round(expected)));
}

TEST(Int16FullyConnected, TakesA32BitBiasWhereTheOptionsSaySo) {
  EXPECT_EQ((Dense{{3, -5}, {}, {8}, DType::kInt32}.Run({100, 200})), -87);
  const std::string refusal = Dense{{3, -5}, {}, {8}}.Refusal();
  EXPECT_NE(refusal.find("bias of type int32, expected int64"), std::string::npos) << refusal;
}

TEST(Int16FullyConnected, RefusesAZeroPoint) {
  Dense dense{{3}, {8}, {}};
  dense.input_zero_point = 5;
  const std::string refusal = dense.Refusal();
  EXPECT_NE(refusal.find("input of type int16 has the zero point 5, expected 0"), std::string::npos)
      << refusal;
}

// Scales that are powers of 2: the finer side is shifted, and rounded half away from zero.
TEST(Int16Add, ShiftsWhereAllScalesArePowersOfTwo) {
  const auto build = [](bool shifts, float output_scale) {
    ModelBuilder builder;
    const int32_t x = builder.AddTensor("x", {3}, DType::kInt16, Quantized(0.0625f, 0));
    const int32_t second = builder.AddConstant<int16_t>("second", {3}, {10, 32760, -5}, Quantized(0.25f, 0));
    const int32_t y = builder.AddTensor("y", {3}, DType::kInt16, Quantized(output_scale, 0));
    builder.AddOperator(
        tflite::BuiltinOperator_ADD, {x, second}, {y}, tflite::BuiltinOptions_AddOptions,
        tflite::CreateAddOptions(builder.fbb, tflite::ActivationFunctionType_NONE, shifts).Union());
    return builder.Finish({x}, {y});
  };
  EXPECT_EQ(RunOn<int16_t>(*Open(build(true, 0.25f)), {6, 32767, -6}), (std::vector<int16_t>{12, 32767, -7}));
  EXPECT_EQ(RunOn<int16_t>(*Open(build(false, 0.25f)), {6, 32767, -6}),
            (std::vector<int16_t>{12, 32767, -7}));
  auto model = RunnableFromBytes(build(true, 0.125f), "test.tflite");
  ASSERT_TRUE(model.ok());
  EXPECT_FALSE(Interpreter::Create(*model).ok()) << "neither side has the steps of the output";
  EXPECT_EQ(RunOn<int16_t>(*Open(build(false, 0.125f)), {6, 32767, -6}),
            (std::vector<int16_t>{23, 32767, -13}));
}

}  // namespace
}  // namespace qat
