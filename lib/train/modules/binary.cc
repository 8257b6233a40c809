// Add, Sub, Mul, Maximum, Minimum of two layers, shapes broadcast; PRelu, whose slopes are learned.
#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp_max.h>
#include <ATen/ops/clamp_min.h>
#include <ATen/ops/full.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/where.h>

#include <algorithm>

#include "base/strings.h"
#include "quant/fixed_point.h"
#include "train/fake_quantize.h"
#include "train/layout.h"
#include "train/modules/module.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

at::Tensor Offset(const SimulatedTensor& tensor) { return tensor.values.sub(tensor.params.zero_point); }

at::Tensor Scaled(const at::Tensor& integers, double real_multiplier) {
  const FixedPointMultiplier multiplier = QuantizeMultiplier(real_multiplier);
  return MapIntegers(integers, [=](int32_t v) { return MultiplyByQuantizedMultiplier(v, multiplier); });
}

// Add, Sub, Mul: new values, hence a range of their own.
class ArithmeticModule : public Module {
 public:
  ArithmeticModule(const LayerNode& layer, const ModuleOptions& options)
      : Module(layer, options), activation_(FusedActivation(layer.attributes)) {}

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) final {
    return Finish(Real(inputs[0], inputs[1]), ActivationRange(activation_), context);
  }

  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const final {
    const QuantizationParams output = OutputParams();
    const QuantizedLimits clamp = ActivationLimits(activation_, output, LimitsOf(activations()));
    const at::Tensor steps = Steps(inputs[0], inputs[1], output.scale);
    return {steps.add(output.zero_point).clamp(clamp.quant_min, clamp.quant_max), output};
  }

 private:
  virtual at::Tensor Real(const at::Tensor& a, const at::Tensor& b) const = 0;
  /// The result in steps of the output's scale, zero point not added.
  virtual at::Tensor Steps(const SimulatedTensor& a, const SimulatedTensor& b, float output_scale) const = 0;

  Activation activation_;
};

// Both inputs go to a common scale 2^20 times finer than twice the larger one, where they are summed:
//   t = 2 max(a_scale, b_scale);  sum = (a << 20) a_scale / t + sign (b << 20) b_scale / t;
//   steps = sum * t / (2^20 output_scale), each product by MultiplyByQuantizedMultiplier.
// Source    tflite/kernels/add.cc and sub.cc.
class SumModule final : public ArithmeticModule {
 public:
  SumModule(const LayerNode& layer, const ModuleOptions& options, double sign)
      : ArithmeticModule(layer, options), sign_(sign) {}

 private:
  static constexpr double kFiner = 1 << 20;

  at::Tensor Real(const at::Tensor& a, const at::Tensor& b) const override { return a.add(b, sign_); }
  at::Tensor Steps(const SimulatedTensor& a, const SimulatedTensor& b, float output_scale) const override {
    const double twice = 2 * double{std::max(a.params.scale, b.params.scale)};
    const auto fine = [&](const SimulatedTensor& x) {
      return Scaled(Offset(x).mul(kFiner), double{x.params.scale} / twice);
    };
    return Scaled(fine(a).add(fine(b), sign_), twice / (kFiner * double{output_scale}));
  }

  double sign_;
};

// The scales' product and quotient are formed in float32. Source: tflite/kernels/mul.cc.
class MulModule final : public ArithmeticModule {
  using ArithmeticModule::ArithmeticModule;

  at::Tensor Real(const at::Tensor& a, const at::Tensor& b) const override { return a.mul(b); }
  at::Tensor Steps(const SimulatedTensor& a, const SimulatedTensor& b, float output_scale) const override {
    return Scaled(Offset(a).mul(Offset(b)), double{a.params.scale * b.params.scale / output_scale});
  }
};

// Maximum and Minimum: all three share one grid, and each value is one of the inputs'.
class ExtremeModule final : public Module {
 public:
  using Select = at::Tensor (*)(const at::Tensor&, const at::Tensor&);

  ExtremeModule(const LayerNode& layer, const ModuleOptions& options, Select select)
      : Module(layer, options), select_(select) {}

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext&) override {
    return select_(inputs[0], inputs[1]);
  }
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    return {select_(inputs[0].values, inputs[1].values), inputs[0].params};
  }

 private:
  Select select_;
};

// y = max(x, 0) + slope * min(x, 0), one slope per channel. The slopes are quantized like an activation, by
// the range of their values: no observer, since converting reads the same values.
class PReluModule final : public Module {
 public:
  PReluModule(const LayerNode& layer, const ModuleOptions& options)
      : Module(layer, options), parameter_(*layer.Find(ParameterSpec::Role::kSlope)) {
    const Shape& shape = parameter_.shape;
    const float start = parameter_.trained.initializer.value;
    slope_ = at::full(std::vector<int64_t>(shape.begin(), shape.end()), start).set_requires_grad(true);
  }

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override {
    const at::Tensor& x = inputs[0];
    const at::Tensor slope = PerChannel(Rounded(context), x.dim());
    return Finish(at::clamp_min(x, 0) + at::clamp_max(x, 0) * slope, context);
  }

  // Multipliers in float32: input_scale / output_scale and input_scale * slope_scale / output_scale.
  // Source    tflite/kernels/activations.cc and internal/reference/prelu.h.
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    const QuantizationParams output = OutputParams();
    const QuantizedLimits limits = LimitsOf(activations());
    const Grid grid = GridOf(MeasureRange(slope_.detach()).range);
    const at::Tensor quantized = Quantized(grid);
    const float in = inputs[0].params.scale;
    const at::Tensor x = Offset(inputs[0]);
    const at::Tensor above = Scaled(x, double{in / output.scale});
    const at::Tensor below =
        Scaled(x.mul(PerChannel(quantized, x.dim())), double{in * grid.params.scale / output.scale});
    const at::Tensor steps = at::where(x.ge(0), above, below);
    return {steps.add(output.zero_point).clamp(limits.quant_min, limits.quant_max), output};
  }

  std::vector<Parameter> parameters() override {
    return {{parameter_.name, parameter_.trained.role, slope_, FilterLayout::kAsIs}};
  }

 private:
  /// In the shape that broadcasts over the activation.
  static at::Tensor PerChannel(const at::Tensor& slope, int64_t rank) {
    return AlongChannels(slope.flatten(), rank, functional::AxisInNchw(-1, rank));
  }

  Grid GridOf(Range range) const {
    const QuantizedLimits limits = LimitsOf(activations());
    return {NudgedParams(IncludingZero(range), limits), limits};
  }

  at::Tensor Rounded(const ForwardContext& context) {
    if (!context.observe && !context.fake_quantize) return slope_;
    const MeasuredRange seen = MeasureRange(slope_.detach());
    Note(seen.finite);
    return context.fake_quantize && seen.finite ? FakeQuantize(slope_, GridOf(seen.range)) : slope_;
  }

  // Slopes on their grid, zero point subtracted.
  at::Tensor Quantized(const Grid& grid) const {
    at::Tensor quantized = slope_.detach().to(at::kDouble);
    for (int64_t i = 0; i < quantized.numel(); ++i) {
      quantized.data_ptr<double>()[i] =
          QuantizeFakeQuant(slope_.data_ptr<float>()[i], grid.params, grid.limits) - grid.params.zero_point;
    }
    return quantized;
  }

  LayerParameter parameter_;
  at::Tensor slope_;
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeAdd(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<SumModule>(layer, options, 1));
}

Expected<std::unique_ptr<Module>> MakeSub(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<SumModule>(layer, options, -1));
}

Expected<std::unique_ptr<Module>> MakeMul(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<MulModule>(layer, options));
}

Expected<std::unique_ptr<Module>> MakeMaximum(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<ExtremeModule>(layer, options, at::maximum));
}

Expected<std::unique_ptr<Module>> MakeMinimum(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<ExtremeModule>(layer, options, at::minimum));
}

Expected<std::unique_ptr<Module>> MakePRelu(const LayerNode& layer, const ModuleOptions& options) {
  if (layer.Find(ParameterSpec::Role::kSlope) == nullptr)
    return Unsupported(StrCat("layer '", layer.name,
                              "': training takes one slope for each channel, or one for all; the network can "
                              "be converted as it is"));
  return std::unique_ptr<Module>(std::make_unique<PReluModule>(layer, options));
}

}  // namespace qat
