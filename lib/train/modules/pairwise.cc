// Div, SquaredDifference, Pow of two layers, shapes broadcast.
#include <ATen/TensorOperators.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/square.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "train/modules/fixed_point_functions.h"
#include "train/modules/module.h"

namespace qat {
namespace {

// f(a, b) of every pair of whole numbers; shapes broadcast.
template <class F>
at::Tensor MapPairs(const SimulatedTensor& a, const SimulatedTensor& b, const F& f) {
  // Both in one number: steps of 9 bits and a sign.
  constexpr int32_t kShift = 1024;
  const at::Tensor pairs =
      a.values.sub(a.params.zero_point).add(512).mul(kShift).add(b.values.sub(b.params.zero_point).add(512));
  return MapIntegers(pairs, [&](int32_t pair) { return f(pair / kShift - 512, pair % kShift - 512); });
}

// a / b in steps: the reciprocal of b as Q0.31, both numbers shifted to the left as far as they go; one
// rounding shift takes all of it back. That shift is taken modulo 32 where it is 32 and more, as processors
// do: a quotient that is nearly 0 then comes out as a large number.
// Source    tflite/kernels/internal/reference/div.h, DivElementwise.
class Quotient {
 public:
  explicit Quotient(double real_multiplier) : multiplier_(QuantizeMultiplier(real_multiplier)) {}

  int32_t operator()(int32_t a, int32_t b) const {
    if (b < 0) {
      a = -a;
      b = -b;
    }
    const int b_headroom = std::countl_zero(static_cast<uint32_t>(b));
    const auto fraction =
        static_cast<int32_t>((static_cast<uint32_t>(b) << b_headroom) - (uint32_t{1} << 31));
    const int32_t reciprocal = functional::ReciprocalOfOnePlus(fraction);
    // As many places as a number of 31 bits and its sign have to the left of it.
    const auto bits = static_cast<uint32_t>(a >= 0 ? 2 * a + 1 : -2 * a - 1);
    const int a_headroom = std::countl_zero(bits);
    const auto shifted = static_cast<int32_t>(static_cast<uint32_t>(a) << a_headroom);
    const int right = 31 - b_headroom + a_headroom - multiplier_.shift;
    return ShiftedRight(functional::HighMul(functional::HighMul(shifted, reciprocal), multiplier_.multiplier),
                        right);
  }

 private:
  static int32_t ShiftedRight(int32_t x, int right) {
    if (right >= 0 && right <= 31) return RoundingDivideByPOT(x, right);
    const auto mask = static_cast<int32_t>((uint64_t{1} << (right & 63)) - 1);
    return (x >> (right & 31)) + ((x & mask) > (mask >> 1) + (x < 0 ? 1 : 0) ? 1 : 0);
  }

  FixedPointMultiplier multiplier_;
};

class DivModule final : public Module {
 public:
  DivModule(const LayerNode& layer, const ModuleOptions& options)
      : Module(layer, options), activation_(FusedActivation(layer.attributes)) {}

  // Among rounded values there are zeros. A quotient by one is 0 then, and has no slope; TFLite's integer
  // kernel ends the run.
  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override {
    const Range bounds = ActivationRange(activation_);
    if (!context.fake_quantize) return Finish(inputs[0].div(inputs[1]), bounds, context);
    const at::Tensor defined = inputs[1].ne(0);
    const at::Tensor quotient = inputs[0].div(at::where(defined, inputs[1], at::ones_like(inputs[1])));
    return Finish(at::where(defined, quotient, at::zeros_like(quotient)), bounds, context);
  }

  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    const SimulatedTensor& a = inputs[0];
    const SimulatedTensor& b = inputs[1];
    const QuantizationParams output = OutputParams();
    const QuantizedLimits clamp = ActivationLimits(activation_, output, LimitsOf(activations()));
    const Quotient quotient(double{a.params.scale / (b.params.scale * output.scale)});
    const at::Tensor steps =
        MapPairs(a, b, [&](int32_t x, int32_t y) { return y == 0 ? 0 : quotient(x, y); });
    return {steps.add(output.zero_point).clamp(clamp.quant_min, clamp.quant_max), output};
  }

 private:
  Activation activation_;
};

// Both inputs go to a scale of twice the larger one, 2^7 times finer; the square of the difference from there
// to the output's.
// Source    tflite/kernels/squared_difference.cc.
class SquaredDifferenceModule final : public Module {
 public:
  using Module::Module;

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override {
    return Finish(at::square(inputs[0].sub(inputs[1])), context);
  }

  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    constexpr double kFiner = 1 << 7;
    const QuantizationParams output = OutputParams();
    const QuantizedLimits limits = LimitsOf(activations());
    const double twice = 2 * double{std::max(inputs[0].params.scale, inputs[1].params.scale)};
    const auto fine = [&](const SimulatedTensor& x) {
      const FixedPointMultiplier multiplier = QuantizeMultiplier(double{x.params.scale} / twice);
      const at::Tensor steps = x.values.sub(x.params.zero_point).mul(kFiner);
      return MapIntegers(steps, [=](int32_t v) { return MultiplyByQuantizedMultiplier(v, multiplier); });
    };
    const FixedPointMultiplier to_output =
        QuantizeMultiplier(twice * twice / double{static_cast<float>(kFiner * kFiner) * output.scale});
    const at::Tensor squares = MapIntegers(at::square(fine(inputs[0]).sub(fine(inputs[1]))), [=](int32_t v) {
      return MultiplyByQuantizedMultiplier(v, to_output);
    });
    return {squares.add(output.zero_point).clamp(limits.quant_min, limits.quant_max), output};
  }
};

// Of reals only.
class PowModule final : public Module {
 public:
  using Module::Module;

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override {
    return Finish(at::pow(inputs[0], inputs[1]), context);
  }
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    QAT_CHECK(false);
    return inputs[0];
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeDiv(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<DivModule>(layer, options));
}

Expected<std::unique_ptr<Module>> MakeSquaredDifference(const LayerNode& layer,
                                                        const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<SquaredDifferenceModule>(layer, options));
}

Expected<std::unique_ptr<Module>> MakePow(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<PowModule>(layer, options));
}

}  // namespace qat
