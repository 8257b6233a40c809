// Depthwise convolution: one group per channel, TFLite's geometry and order of outputs (channel * multiplier
// + m).

#include "train/modules/conv_2d.h"
#include "train/modules/module.h"

namespace qat {
namespace {

class DepthwiseConv2DModule final : public FilterModule {
 public:
  DepthwiseConv2DModule(const LayerNode& layer, const ModuleOptions& options)
      : FilterModule(layer, options, FilterLayout::kRotated) {}

 private:
  at::Tensor Apply(const at::Tensor& input, const at::Tensor& filter, const at::Tensor& bias) const override {
    const auto& a = std::get<DepthwiseConv2DAttributes>(attributes());
    Conv2DAttributes window;
    window.stride_h = a.stride_h;
    window.stride_w = a.stride_w;
    window.dilation_h = a.dilation_h;
    window.dilation_w = a.dilation_w;
    window.padding = a.padding;
    return functional::Conv2D(input, filter, bias, window, input.size(1));
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeDepthwiseConv2D(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<DepthwiseConv2DModule>(layer, options));
}

}  // namespace qat
