// Relu, Relu6, ReluN1To1, LeakyRelu, HardSwish, Logistic, Tanh, standing alone: on 8 bits each is a table of
// 256 entries.
#include <ATen/ops/hardswish.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/tanh.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "quant/fixed_point.h"
#include "train/modules/unary.h"

namespace qat {
namespace {

// A clamp, under an output range of its own. The multiplier is a float32 quotient.
class ReluModule final : public UnaryModule {
 public:
  ReluModule(const LayerNode& layer, const ModuleOptions& options, Activation activation)
      : UnaryModule(layer, options), activation_(activation) {}

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override {
    return Finish(inputs[0], ActivationRange(activation_), context);
  }

 private:
  at::Tensor Real(const at::Tensor& input) const override { return input; }
  int32_t Entry(int32_t q, QuantizationParams input, QuantizationParams output) const override {
    const QuantizedLimits clamp = ActivationLimits(activation_, output, LimitsOf(activations()));
    const FixedPointMultiplier multiplier = QuantizeMultiplier(double{input.scale / output.scale});
    const int32_t steps = MultiplyByQuantizedMultiplier(q - input.zero_point, multiplier);
    return std::clamp(steps + output.zero_point, clamp.quant_min, clamp.quant_max);
  }

  Activation activation_;
};

// Two multipliers: input_scale / output_scale, and the same with alpha times the input's scale, in float32.
class LeakyReluModule final : public UnaryModule {
 public:
  LeakyReluModule(const LayerNode& layer, const ModuleOptions& options)
      : UnaryModule(layer, options), alpha_(std::get<LeakyReluAttributes>(layer.attributes).alpha) {}

 private:
  at::Tensor Real(const at::Tensor& input) const override { return at::leaky_relu(input, alpha_); }
  int32_t Entry(int32_t q, QuantizationParams input, QuantizationParams output) const override {
    const int32_t value = q - input.zero_point;
    const float factor = value >= 0 ? 1 : alpha_;
    const FixedPointMultiplier multiplier = QuantizeMultiplier(double{input.scale * factor / output.scale});
    return MultiplyByQuantizedMultiplier(value, multiplier) + output.zero_point;
  }

  float alpha_;
};

int32_t Saturated16(int32_t x) {
  return std::clamp<int32_t>(x, std::numeric_limits<int16_t>::min(), std::numeric_limits<int16_t>::max());
}

// floor((a * b + 2^14) / 2^15), the 16-bit doubling product; no pair of -2^15 occurs here.
int32_t HighMul16(int32_t a, int32_t b) { return Saturated16((a * b + (1 << 14)) >> 15); }

int32_t MultiplierTo16(int32_t multiplier) {
  constexpr int32_t kRound = 1 << 15;
  return multiplier >= std::numeric_limits<int32_t>::max() - kRound ? std::numeric_limits<int16_t>::max()
                                                                    : (multiplier + kRound) >> 16;
}

// x * relu6(x + 3) / 6 in 16 bits: the gate, (x / 3 + 1) / 2 clamped to [0, 1), has 15 fractional bits and
// saturates by itself; x is 128 times finer than its byte.
// Source    tflite/kernels/internal/reference/hard_swish.h.
class HardSwishModule final : public UnaryModule {
  using UnaryModule::UnaryModule;

  at::Tensor Real(const at::Tensor& input) const override { return at::hardswish(input); }
  int32_t Entry(int32_t q, QuantizationParams input, QuantizationParams output) const override {
    const float fine = input.scale * (1.0f / 128);
    const FixedPointMultiplier to_output = QuantizeMultiplier(double{fine / output.scale});
    const int32_t x = (q - input.zero_point) * 128;
    const int32_t scaled = HighMul16(x, MultiplierTo16(to_output.multiplier));
    // The product truncates towards 0.
    const int32_t product = Gate(x, QuantizeMultiplier(double{fine / (3.0f / 32768)})) * scaled / (1 << 15);
    return RoundingDivideByPOT(product, std::max(-to_output.shift, 0)) + output.zero_point;
  }

  // Shifts that would lose a bit come in two steps, the last one after the product.
  static int32_t Gate(int32_t x, FixedPointMultiplier to_three) {
    const int shift = to_three.shift;
    if (shift > 0) x = Saturated16(x * (1 << std::min(shift - 1, 15)));
    x = HighMul16(x, MultiplierTo16(to_three.multiplier));
    if (shift > 0) x = Saturated16(x * 2);
    if (shift < 0) x = RoundingDivideByPOT(x, -shift);
    return (x + 32768) >> 1;
  }
};

// Fixed output. round(f(real) * (1 / scale)) + zero_point in float32: how TFLite fills its tables.
// Source    tflite/kernels/internal/common.h, LUTPopulate.
class CurveModule final : public UnaryModule {
 public:
  using RealFunction = at::Tensor (*)(const at::Tensor&);
  using ScalarFunction = float (*)(float);

  CurveModule(const LayerNode& layer, const ModuleOptions& options, RealFunction real, ScalarFunction scalar)
      : UnaryModule(layer, options), real_(real), scalar_(scalar) {}

 private:
  at::Tensor Real(const at::Tensor& input) const override { return real_(input); }
  int32_t Entry(int32_t q, QuantizationParams input, QuantizationParams output) const override {
    const float y = scalar_(input.scale * static_cast<float>(q - input.zero_point));
    return static_cast<int32_t>(std::round(y * (1 / output.scale))) + output.zero_point;
  }

  RealFunction real_;
  ScalarFunction scalar_;
};

std::unique_ptr<Module> MakeReluOf(Activation activation, const LayerNode& layer,
                                   const ModuleOptions& options) {
  return std::make_unique<ReluModule>(layer, options, activation);
}

}  // namespace

at::Tensor UnaryModule::Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) {
  return Finish(Real(inputs[0]), context);
}

SimulatedTensor UnaryModule::Simulate(const std::vector<SimulatedTensor>& inputs) const {
  const QuantizationParams output = OutputParams();
  const QuantizedLimits limits = LimitsOf(activations());
  std::array<int32_t, 256> table;
  for (int32_t i = 0; i < 256; ++i) {
    const int32_t entry = Entry(limits.quant_min + i, inputs[0].params, output);
    table[static_cast<size_t>(i)] = std::clamp(entry, limits.quant_min, limits.quant_max);
  }
  const auto look_up = [&](int32_t q) { return table[static_cast<size_t>(q - limits.quant_min)]; };
  return {MapIntegers(inputs[0].values, look_up), output};
}

Expected<std::unique_ptr<Module>> MakeRelu(const LayerNode& layer, const ModuleOptions& options) {
  return MakeReluOf(Activation::kRelu, layer, options);
}

Expected<std::unique_ptr<Module>> MakeRelu6(const LayerNode& layer, const ModuleOptions& options) {
  return MakeReluOf(Activation::kRelu6, layer, options);
}

Expected<std::unique_ptr<Module>> MakeReluN1To1(const LayerNode& layer, const ModuleOptions& options) {
  return MakeReluOf(Activation::kReluN1To1, layer, options);
}

Expected<std::unique_ptr<Module>> MakeLeakyRelu(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<LeakyReluModule>(layer, options));
}

Expected<std::unique_ptr<Module>> MakeHardSwish(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<HardSwishModule>(layer, options));
}

Expected<std::unique_ptr<Module>> MakeLogistic(const LayerNode& layer, const ModuleOptions& options) {
  const auto scalar = [](float x) { return 1 / (1 + std::exp(-x)); };
  return std::unique_ptr<Module>(std::make_unique<CurveModule>(layer, options, at::sigmoid, scalar));
}

Expected<std::unique_ptr<Module>> MakeTanh(const LayerNode& layer, const ModuleOptions& options) {
  const auto scalar = [](float x) { return std::tanh(x); };
  return std::unique_ptr<Module>(std::make_unique<CurveModule>(layer, options, at::tanh, scalar));
}

}  // namespace qat
