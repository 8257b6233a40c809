// Exp, Log, Sqrt, Rsqrt, Abs, Elu, Gelu: tables on 8 bits. Square, Neg, Sin, Cos, Floor, Ceil, Round: of
// reals only.
#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/ceil.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/elu.h>
#include <ATen/ops/erfc.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/floor.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/log.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/round.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/square.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "base/check.h"
#include "train/modules/fixed_point_functions.h"
#include "train/modules/unary.h"

namespace qat {
namespace {

using RealFunction = at::Tensor (*)(const at::Tensor&);
using ScalarFunction = float (*)(float);

// What the processor makes of a float32 that no int32 holds is the least int32.
int32_t ToInt32(float value) {
  const bool fits = value >= -0x1p31f && value < 0x1p31f;
  return fits ? static_cast<int32_t>(value) : std::numeric_limits<int32_t>::min();
}

// round(f(real) * (1 / scale)) + zero_point in float32.
// Source    tflite/kernels/internal/common.h, LUTPopulate.
class TableModule : public UnaryModule {
 public:
  TableModule(const LayerNode& layer, const ModuleOptions& options, RealFunction real, ScalarFunction scalar)
      : UnaryModule(layer, options), real_(real), scalar_(scalar) {}

 protected:
  at::Tensor Real(const at::Tensor& input) const override { return real_(input); }

 private:
  int32_t Entry(int32_t q, QuantizationParams input, QuantizationParams output) const override {
    const float y = scalar_(input.scale * static_cast<float>(q - input.zero_point));
    return ToInt32(std::round(y * (1 / output.scale)) + static_cast<float>(output.zero_point));
  }

  RealFunction real_;
  ScalarFunction scalar_;
};

// A function of positive numbers. Among rounded values there are zeros; there it is an end of its range, as
// on integers, and has no slope.
class PositiveModule : public UnaryModule {
 public:
  PositiveModule(const LayerNode& layer, const ModuleOptions& options, RealFunction real)
      : UnaryModule(layer, options), real_(real) {}

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) final {
    if (!context.fake_quantize || range() == nullptr || !range()->ready())
      return Finish(Real(inputs[0]), context);
    const at::Tensor defined = inputs[0].gt(0);
    const at::Tensor values = Real(at::where(defined, inputs[0], at::ones_like(inputs[0])));
    return Finish(at::where(defined, values, at::full_like(values, Elsewhere())), context);
  }

 private:
  at::Tensor Real(const at::Tensor& input) const final { return real_(input); }
  virtual float Elsewhere() const = 0;

  RealFunction real_;
};

Range Representable(const Module& module) {
  return RepresentableRange(module.range()->params(), LimitsOf(module.range()->precision()));
}

class LogModule final : public PositiveModule {
 public:
  LogModule(const LayerNode& layer, const ModuleOptions& options) : PositiveModule(layer, options, at::log) {}

 private:
  float Elsewhere() const override { return Representable(*this).min; }
  // The table of exp's kind, but for the end of the range where there is no logarithm.
  // Source    tflite/kernels/elementwise.cc, LogLUTPrepare.
  int32_t Entry(int32_t q, QuantizationParams input, QuantizationParams output) const override {
    const float x = input.scale * static_cast<float>(q - input.zero_point);
    const int32_t least = LimitsOf(activations()).quant_min;
    const float y = x <= 0 ? static_cast<float>(least - output.zero_point) * output.scale : std::log(x);
    return ToInt32(std::round(y * (1 / output.scale)) + static_cast<float>(output.zero_point));
  }
};

// The root of 0 is 0, without its infinite slope; below 0 it is no number.
at::Tensor Sqrt(const at::Tensor& input) {
  const at::Tensor zero = input.eq(0);
  const at::Tensor roots = at::sqrt(at::where(zero, at::ones_like(input), input));
  return at::where(zero, at::zeros_like(roots), roots);
}

// sqrt(real) / scale in float32, towards zero. Source: tflite/kernels/elementwise.cc, SqrtEvalQuantized,
// which ends the run at values below zero; here they give zero.
class SqrtModule final : public PositiveModule {
 public:
  SqrtModule(const LayerNode& layer, const ModuleOptions& options) : PositiveModule(layer, options, Sqrt) {}

 private:
  float Elsewhere() const override { return 0; }
  int32_t Entry(int32_t q, QuantizationParams input, QuantizationParams output) const override {
    const float x = input.scale * static_cast<float>(q - input.zero_point);
    const int32_t steps = x <= 0 ? 0 : ToInt32(std::sqrt(x) / output.scale);
    return static_cast<int32_t>(static_cast<uint32_t>(steps) + static_cast<uint32_t>(output.zero_point));
  }
};

// 2^20 / sqrt(steps) as a whole number, then by the multiplier 1 / (sqrt(input_scale) * output_scale) without
// these 20 bits.
// Source    tflite/kernels/elementwise.cc, RsqrtEvalQuantizedInt8, which ends the run at values below zero;
// here they give
//           the largest value, as zero does.
class RsqrtModule final : public PositiveModule {
 public:
  RsqrtModule(const LayerNode& layer, const ModuleOptions& options)
      : PositiveModule(layer, options, at::rsqrt) {}

 private:
  static constexpr int kBits = 20;

  float Elsewhere() const override { return Representable(*this).max; }
  int32_t Entry(int32_t q, QuantizationParams input, QuantizationParams output) const override {
    const int32_t steps = q - input.zero_point;
    if (steps <= 0) return LimitsOf(activations()).quant_max;
    FixedPointMultiplier root = functional::InverseRoot(steps);
    root.shift += kBits;
    FixedPointMultiplier rescale = QuantizeMultiplier(1 / double{std::sqrt(input.scale) * output.scale});
    rescale.shift -= kBits;
    if (rescale.shift < -31) return output.zero_point;
    const auto value =
        static_cast<uint32_t>(MultiplyByQuantizedMultiplier(MultiplyByQuantizedMultiplier(1, root), rescale));
    return static_cast<int32_t>(value + static_cast<uint32_t>(output.zero_point));
  }
};

// The multiplier is a float32 quotient. Source: tflite/kernels/elementwise.cc, AbsEvalQuantized.
class AbsModule final : public UnaryModule {
  using UnaryModule::UnaryModule;

  at::Tensor Real(const at::Tensor& input) const override { return at::abs(input); }
  int32_t Entry(int32_t q, QuantizationParams input, QuantizationParams output) const override {
    const int32_t steps = std::abs(q - input.zero_point);
    if (input.scale == output.scale) return steps + output.zero_point;
    const FixedPointMultiplier multiplier = QuantizeMultiplier(double{input.scale / output.scale});
    return MultiplyByQuantizedMultiplier(steps, multiplier) + output.zero_point;
  }
};

// Computed on reals only: a network of integers that holds one is refused before training.
class RealModule final : public Module {
 public:
  RealModule(const LayerNode& layer, const ModuleOptions& options, RealFunction real)
      : Module(layer, options), real_(real) {}

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override {
    return Finish(real_(inputs[0]), context);
  }
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    QAT_CHECK(false);
    return inputs[0];
  }

 private:
  RealFunction real_;
};

// Steps have no slope of their own: the gradient passes as if they were not there.
template <RealFunction kStep>
at::Tensor StraightThrough(const at::Tensor& input) {
  return input + (kStep(input) - input).detach();
}

at::Tensor Floor(const at::Tensor& input) { return at::floor(input); }
at::Tensor Ceil(const at::Tensor& input) { return at::ceil(input); }
at::Tensor Round(const at::Tensor& input) { return at::round(input); }

at::Tensor Elu(const at::Tensor& input) { return at::elu(input); }
// Not at::gelu: the gradient of LibTorch 1.13 with oneDNN differs from run to run, NaN among it, where it
// lies in memory otherwise than the values.
at::Tensor Gelu(const at::Tensor& input) {
  return input.mul(at::erfc(input.mul(-std::numbers::sqrt2 / 2))).mul(0.5);
}
at::Tensor ApproximateGelu(const at::Tensor& input) {
  constexpr double kRootOfTwoOverPi = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
  const at::Tensor inner = input.add(at::square(input).mul(input), 0.044715).mul(kRootOfTwoOverPi);
  return input.mul(at::tanh(inner).add(1)).mul(0.5);
}

float ScalarElu(float x) { return x < 0 ? std::exp(x) - 1 : x; }
float ScalarGelu(float x) { return 0.5f * x * std::erfc(x * -std::numbers::sqrt2_v<float> / 2); }
float ScalarApproximateGelu(float x) {
  constexpr auto kRootOfTwoOverPi = static_cast<float>(std::numbers::sqrt2 * std::numbers::inv_sqrtpi);
  return 0.5f * x * (1 + std::tanh(kRootOfTwoOverPi * (x + 0.044715f * x * x * x)));
}

std::unique_ptr<Module> MakeReal(const LayerNode& layer, const ModuleOptions& options, RealFunction real) {
  return std::make_unique<RealModule>(layer, options, real);
}

}  // namespace

Expected<std::unique_ptr<Module>> MakeExp(const LayerNode& layer, const ModuleOptions& options) {
  const auto scalar = [](float x) { return std::exp(x); };
  return std::unique_ptr<Module>(std::make_unique<TableModule>(layer, options, at::exp, scalar));
}

Expected<std::unique_ptr<Module>> MakeLog(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<LogModule>(layer, options));
}

Expected<std::unique_ptr<Module>> MakeSqrt(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<SqrtModule>(layer, options));
}

Expected<std::unique_ptr<Module>> MakeRsqrt(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<RsqrtModule>(layer, options));
}

Expected<std::unique_ptr<Module>> MakeAbs(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<AbsModule>(layer, options));
}

Expected<std::unique_ptr<Module>> MakeElu(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<TableModule>(layer, options, Elu, ScalarElu));
}

Expected<std::unique_ptr<Module>> MakeGelu(const LayerNode& layer, const ModuleOptions& options) {
  const bool approximate = std::get<GeluAttributes>(layer.attributes).approximate;
  return std::unique_ptr<Module>(
      std::make_unique<TableModule>(layer, options, approximate ? ApproximateGelu : Gelu,
                                    approximate ? ScalarApproximateGelu : ScalarGelu));
}

Expected<std::unique_ptr<Module>> MakeSquare(const LayerNode& layer, const ModuleOptions& options) {
  return MakeReal(layer, options, at::square);
}

Expected<std::unique_ptr<Module>> MakeNeg(const LayerNode& layer, const ModuleOptions& options) {
  return MakeReal(layer, options, [](const at::Tensor& input) { return -input; });
}

Expected<std::unique_ptr<Module>> MakeSin(const LayerNode& layer, const ModuleOptions& options) {
  return MakeReal(layer, options, at::sin);
}

Expected<std::unique_ptr<Module>> MakeCos(const LayerNode& layer, const ModuleOptions& options) {
  return MakeReal(layer, options, at::cos);
}

Expected<std::unique_ptr<Module>> MakeFloor(const LayerNode& layer, const ModuleOptions& options) {
  return MakeReal(layer, options, StraightThrough<Floor>);
}

Expected<std::unique_ptr<Module>> MakeCeil(const LayerNode& layer, const ModuleOptions& options) {
  return MakeReal(layer, options, StraightThrough<Ceil>);
}

Expected<std::unique_ptr<Module>> MakeRound(const LayerNode& layer, const ModuleOptions& options) {
  return MakeReal(layer, options, StraightThrough<Round>);
}

}  // namespace qat
