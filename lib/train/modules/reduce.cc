// Sum, ReduceMin, ReduceProd over some of TFLite's axes.
#include <ATen/ops/amin.h>
#include <ATen/ops/prod.h>
#include <ATen/ops/sum.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/check.h"
#include "train/modules/moving.h"
#include "train/modules/nhwc.h"
#include "train/modules/reduction.h"

namespace qat {
namespace {

bool KeepsDims(const OpAttributes& attributes) { return std::get<MeanAttributes>(attributes).keep_dims; }

// round(sum * scale + bias) + zero_point in float32, scale = input_scale / output_scale and bias =
// -zero_point * scale * count, where `sum` is of the bytes themselves. Where both grids are the same, TFLite
// adds bytes, which wrap.
// Source    tflite/kernels/reduce.cc, QuantizedMeanOrSum of the default kernels; the reference kernels are
// wrong on int8.
class SumModule final : public Module {
 public:
  using Module::Module;

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override {
    return Finish(Sums(inputs[0]), context);
  }

  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    const QuantizationParams input = inputs[0].params, output = OutputParams();
    const QuantizedLimits limits = LimitsOf(activations());
    const at::Tensor sums = Sums(inputs[0].values);
    if (input == output) return {MapIntegers(sums, Wrapped(limits)), output};
    const auto count = static_cast<float>(inputs[0].values.numel() / sums.numel());
    const float scale = input.scale / output.scale;
    const float bias = static_cast<float>(-input.zero_point) * scale * count;
    const auto requantize = [&](int32_t sum) {
      const float product = static_cast<float>(sum) * scale;
      const float steps = std::round(product + bias);
      const float within = std::clamp(steps, -0x1p30f, 0x1p30f);
      return std::clamp(static_cast<int32_t>(within) + output.zero_point, limits.quant_min, limits.quant_max);
    };
    return {MapIntegers(sums, requantize), output};
  }

 private:
  static std::function<int32_t(int32_t)> Wrapped(QuantizedLimits limits) {
    return [limits](int32_t sum) {
      const auto byte = static_cast<uint8_t>(sum);
      return limits.quant_min < 0 ? static_cast<int32_t>(static_cast<int8_t>(byte)) : int32_t{byte};
    };
  }

  at::Tensor Sums(const at::Tensor& input) const {
    return functional::FromNhwc(
        at::sum(functional::ToNhwc(input), functional::ReducedAxes(node(), input), KeepsDims(attributes())));
  }
};

// A minimum is one of the values: it stays on their grid.
class ReduceMinModule final : public MovingModule {
 public:
  using MovingModule::MovingModule;

 private:
  at::Tensor Moved(const at::Tensor& input) const override {
    const std::vector<int64_t> axes = functional::ReducedAxes(node(), input);
    return functional::FromNhwc(at::amin(functional::ToNhwc(input), axes, KeepsDims(attributes())));
  }
};

// Of reals only.
class ReduceProdModule final : public Module {
 public:
  using Module::Module;

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override {
    at::Tensor product = functional::ToNhwc(inputs[0]);
    std::vector<int64_t> axes = functional::ReducedAxes(node(), inputs[0]);
    for (; !axes.empty(); axes.pop_back()) product = at::prod(product, axes.back(), KeepsDims(attributes()));
    return Finish(functional::FromNhwc(product), context);
  }
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    QAT_CHECK(false);
    return inputs[0];
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeSum(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<SumModule>(layer, options));
}

Expected<std::unique_ptr<Module>> MakeReduceMin(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<ReduceMinModule>(layer, options));
}

Expected<std::unique_ptr<Module>> MakeReduceProd(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<ReduceProdModule>(layer, options));
}

}  // namespace qat
