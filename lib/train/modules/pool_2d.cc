#include "train/modules/pool_2d.h"

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/floor_divide.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/ones.h>

#include <limits>

#include "base/strings.h"
#include "ops/op.h"
#include "ops/padding.h"
#include "train/fake_quantize.h"
#include "train/modules/module.h"

namespace qat {
namespace functional {
namespace {

// Pads so that windows without padding see what TFLite's see.
at::Tensor Padded(const at::Tensor& input, const Pool2DAttributes& a, double fill) {
  const auto h = ComputeWindow(a.padding, static_cast<int32_t>(input.size(2)), a.filter_h, a.stride_h);
  const auto w = ComputeWindow(a.padding, static_cast<int32_t>(input.size(3)), a.filter_w, a.stride_w);
  if (h.before + h.after + w.before + w.after == 0) return input;
  return at::constant_pad_nd(input, {w.before, w.after, h.before, h.after}, fill);
}

at::Tensor Summed(const at::Tensor& padded, const Pool2DAttributes& a) {
  return at::avg_pool2d(padded, {a.filter_h, a.filter_w}, {a.stride_h, a.stride_w}, {0, 0}, false, false, 1);
}

}  // namespace

at::Tensor MaxPoolIntegers(const at::Tensor& values, const Pool2DAttributes& a) {
  const at::Tensor padded = Padded(values, a, -std::numeric_limits<double>::infinity());
  return at::max_pool2d(padded, {a.filter_h, a.filter_w}, {a.stride_h, a.stride_w});
}

WindowSums SumPool2D(const at::Tensor& input, const Pool2DAttributes& a) {
  const at::Tensor ones = at::ones({1, 1, input.size(2), input.size(3)}, input.options());
  return {Summed(Padded(input, a, 0), a), Summed(Padded(ones, a, 0), a)};
}

}  // namespace functional

namespace {

// Scale and zero point pass through; an activation clamps, in quantized units of the same parameters. A
// maximum stays on the grid; an average is rounded back to it.
class Pool2DModule : public Module {
 public:
  Pool2DModule(const LayerNode& layer, const ModuleOptions& options)
      : Module(layer, options), attributes_(std::get<Pool2DAttributes>(layer.attributes)) {}

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) final {
    return Finish(Pool(inputs[0]), ActivationRange(attributes_.activation), context);
  }
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const final {
    const QuantizationParams params = inputs[0].params;
    const QuantizedLimits limits = ActivationLimits(attributes_.activation, params, LimitsOf(activations()));
    return {at::clamp(PoolIntegers(inputs[0].values), limits.quant_min, limits.quant_max), params};
  }

 protected:
  virtual at::Tensor Pool(const at::Tensor& input) const = 0;
  virtual at::Tensor PoolIntegers(const at::Tensor& values) const = 0;
  const Pool2DAttributes attributes_;
};

class MaxPool2DModule final : public Pool2DModule {
  using Pool2DModule::Pool2DModule;
  at::Tensor Pool(const at::Tensor& input) const override {
    return functional::MaxPool2D(input, attributes_);
  }
  at::Tensor PoolIntegers(const at::Tensor& values) const override {
    return functional::MaxPoolIntegers(values, attributes_);
  }
};

class AveragePool2DModule final : public Pool2DModule {
  using Pool2DModule::Pool2DModule;
  at::Tensor Pool(const at::Tensor& input) const override {
    const functional::WindowSums windows = functional::SumPool2D(input, attributes_);
    return windows.sums.div(windows.counts);
  }
  // (|sum| + n / 2) / n with the sign of the sum, divisions truncating, n the values inside the image:
  // TFLite's rule for both 8-bit types.
  at::Tensor PoolIntegers(const at::Tensor& values) const override {
    const functional::WindowSums windows = functional::SumPool2D(values, attributes_);
    const at::Tensor half = at::floor_divide(windows.counts, 2);
    return at::floor_divide(windows.sums.abs().add(half), windows.counts).mul(windows.sums.sign());
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeMaxPool2D(const LayerNode& layer, const ModuleOptions& options) {
  const auto& attributes = std::get<Pool2DAttributes>(layer.attributes);
  if (int64_t{attributes.filter_h} * attributes.filter_w > 256) {
    return Unsupported(StrCat("layer '", layer.name, "': a window of ", attributes.filter_h, "x",
                              attributes.filter_w, " values, expected at most 256 in training"));
  }
  return std::unique_ptr<Module>(std::make_unique<MaxPool2DModule>(layer, options));
}

Expected<std::unique_ptr<Module>> MakeAveragePool2D(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<AveragePool2DModule>(layer, options));
}

}  // namespace qat
