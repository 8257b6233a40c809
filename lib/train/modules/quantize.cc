// Quantize: the same reals under a range of their own. Between what is fixed (the input, softmax, logistic,
// tanh) and operators that tie ranges together; to real values nothing.
#include <algorithm>

#include "quant/fixed_point.h"
#include "train/modules/module.h"

namespace qat {
namespace {

// clamp(MultiplyByQuantizedMultiplier(q - input_zero) + output_zero), the quotient of the scales in double.
// Source    tflite/kernels/quantize.cc.
class QuantizeModule final : public Module {
 public:
  using Module::Module;

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override {
    return Finish(inputs[0], context);
  }

  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    const QuantizationParams from = inputs[0].params, to = OutputParams();
    const QuantizedLimits limits = LimitsOf(activations());
    const FixedPointMultiplier multiplier = QuantizeMultiplier(double{from.scale} / double{to.scale});
    const auto requantize = [&](int32_t q) {
      const int32_t steps = MultiplyByQuantizedMultiplier(q - from.zero_point, multiplier);
      return std::clamp(steps + to.zero_point, limits.quant_min, limits.quant_max);
    };
    return {MapIntegers(inputs[0].values, requantize), to};
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeQuantize(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<QuantizeModule>(layer, options));
}

}  // namespace qat
