// Mean and ReduceMax over some of TFLite's axes; over height and width they are the global pools.
#include <ATen/ops/amax.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/sum.h>

#include <algorithm>
#include <bit>

#include "quant/fixed_point.h"
#include "train/modules/moving.h"
#include "train/modules/nhwc.h"
#include "train/modules/reduction.h"

namespace qat {
namespace {

using functional::ReducedAxes;

class MeanModule final : public Module {
 public:
  MeanModule(const LayerNode& layer, const ModuleOptions& options)
      : Module(layer, options), keep_dims_(std::get<MeanAttributes>(layer.attributes).keep_dims) {}

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override {
    const at::Tensor mean =
        at::mean(functional::ToNhwc(inputs[0]), ReducedAxes(node(), inputs[0]), keep_dims_);
    return Finish(functional::FromNhwc(mean), context);
  }

  // The sum of values without their zero points, by a multiplier that holds the division:
  //   floor(multiplier * 2^k / count) * 2^(shift - k - 31), k as large as count and 64 bits allow.
  // Source    tflite/kernels/internal/reference/integer_ops/mean.h.
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    const SimulatedTensor& input = inputs[0];
    const QuantizationParams output = OutputParams();
    const QuantizedLimits limits = LimitsOf(activations());
    const at::Tensor sums = at::sum(functional::ToNhwc(input.values).sub(input.params.zero_point),
                                    ReducedAxes(node(), input.values), keep_dims_);
    const int64_t count = input.values.numel() / sums.numel();
    const FixedPointMultiplier multiplier =
        Divided(QuantizeMultiplier(double{input.params.scale} / double{output.scale}), count);
    const auto requantize = [&](int32_t sum) {
      const int32_t steps = MultiplyByQuantizedMultiplier(sum, multiplier);
      return std::clamp(steps + output.zero_point, limits.quant_min, limits.quant_max);
    };
    return {MapIntegers(functional::FromNhwc(sums), requantize), output};
  }

 private:
  static FixedPointMultiplier Divided(FixedPointMultiplier m, int64_t count) {
    const int log2 = std::bit_width(static_cast<uint64_t>(count)) - 1;
    const int k = std::min({log2, 32, 31 + m.shift});
    return {static_cast<int32_t>((int64_t{m.multiplier} << k) / count), m.shift - k};
  }

  bool keep_dims_;
};

// A maximum is one of the values: it stays on their grid.
class ReduceMaxModule final : public MovingModule {
 public:
  using MovingModule::MovingModule;

 private:
  at::Tensor Moved(const at::Tensor& input) const override {
    const bool keep_dims = std::get<MeanAttributes>(attributes()).keep_dims;
    const at::Tensor rows = functional::ToNhwc(input);
    return functional::FromNhwc(at::amax(rows, ReducedAxes(node(), input), keep_dims));
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeMean(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<MeanModule>(layer, options));
}

Expected<std::unique_ptr<Module>> MakeReduceMax(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<ReduceMaxModule>(layer, options));
}

}  // namespace qat
