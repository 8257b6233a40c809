// BatchMatMul: products of the matrices in the last two of TFLite's axes of both inputs.
#include <ATen/ops/matmul.h>

#include "quant/fixed_point.h"
#include "train/modules/module.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

class BatchMatMulModule final : public Module {
 public:
  using Module::Module;

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override {
    return Finish(Product(inputs[0], inputs[1]), context);
  }

  // The product of the input scales is formed in float32. Source: tflite/kernels/batch_matmul.cc.
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    const QuantizationParams a = inputs[0].params, b = inputs[1].params, output = OutputParams();
    const QuantizedLimits limits = LimitsOf(activations());
    const FixedPointMultiplier multiplier =
        QuantizeMultiplier(double{a.scale * b.scale} / double{output.scale});
    const at::Tensor sums = Product(inputs[0].values.sub(a.zero_point), inputs[1].values.sub(b.zero_point));
    const at::Tensor steps =
        MapIntegers(sums, [=](int32_t v) { return MultiplyByQuantizedMultiplier(v, multiplier); });
    return {steps.add(output.zero_point).clamp(limits.quant_min, limits.quant_max), output};
  }

 private:
  at::Tensor Product(const at::Tensor& a, const at::Tensor& b) const {
    const auto& options = std::get<BatchMatMulAttributes>(attributes());
    const at::Tensor left = functional::ToNhwc(a), right = functional::ToNhwc(b);
    return functional::FromNhwc(at::matmul(options.adjoint_a ? left.transpose(-1, -2) : left,
                                           options.adjoint_b ? right.transpose(-1, -2) : right));
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeBatchMatMul(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<BatchMatMulModule>(layer, options));
}

}  // namespace qat
