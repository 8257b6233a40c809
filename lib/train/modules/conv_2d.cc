#include "train/modules/conv_2d.h"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>

#include <array>

#include "ops/padding.h"
#include "train/modules/module.h"

namespace qat {
namespace functional {

at::Tensor Conv2D(const at::Tensor& input, const at::Tensor& filter, const at::Tensor& bias,
                  const Conv2DAttributes& a, int64_t groups) {
  const auto extent = [&](int64_t axis, int32_t stride, int32_t dilation) {
    return ComputeWindow(a.padding, static_cast<int32_t>(input.size(axis)),
                         static_cast<int32_t>(filter.size(axis)), stride, dilation);
  };
  const WindowExtent h = extent(2, a.stride_h, a.dilation_h);
  const WindowExtent w = extent(3, a.stride_w, a.dilation_w);
  const std::array<int64_t, 2> stride = {a.stride_h, a.stride_w};
  const std::array<int64_t, 2> dilation = {a.dilation_h, a.dilation_w};
  // The operator pads both sides alike; what TFLite pads unevenly is padded first.
  if (h.before == h.after && w.before == w.after) {
    return at::conv2d(input, filter, bias, stride, at::IntArrayRef({h.before, w.before}), dilation, groups);
  }
  const at::Tensor padded = at::constant_pad_nd(input, {w.before, w.after, h.before, h.after}, 0);
  return at::conv2d(padded, filter, bias, stride, at::IntArrayRef({0, 0}), dilation, groups);
}

}  // namespace functional

namespace {

class Conv2DModule final : public FilterModule {
 public:
  using FilterModule::FilterModule;

 private:
  at::Tensor Apply(const at::Tensor& input, const at::Tensor& filter, const at::Tensor& bias) const override {
    const int64_t groups = input.size(1) / filter.size(1);  // of networks of others, in one filter
    return functional::Conv2D(input, filter, bias, std::get<Conv2DAttributes>(attributes()), groups);
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeConv2D(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<Conv2DModule>(layer, options));
}

}  // namespace qat
