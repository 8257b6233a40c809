// Transposed convolution: every input pixel adds its filter to the output, which TFLite's geometry then
// crops.
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv_transpose2d.h>

#include "ops/padding.h"
#include "train/modules/module.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

class TransposeConvModule final : public FilterModule {
 public:
  TransposeConvModule(const LayerNode& layer, const ModuleOptions& options)
      : FilterModule(layer, options, FilterLayout::kRotated) {}

 private:
  // The output is as large as the convolution that would lead back wants it: padding is computed from there.
  // Where the filter is smaller than the stride, pixels without any tap are left at the end.
  at::Tensor Apply(const at::Tensor& input, const at::Tensor& filter, const at::Tensor& bias) const override {
    const auto& a = std::get<TransposeConvAttributes>(attributes());
    const at::Tensor whole =
        at::conv_transpose2d(input, filter.transpose(0, 1), {}, {a.stride_h, a.stride_w});
    const LayerNode& indices = node();
    const std::vector<int32_t>& shape = indices.Values("shape");
    const auto before = [&](size_t i, int32_t stride) {
      const auto taps = static_cast<int32_t>(filter.size(static_cast<int64_t>(i) + 1));
      return int64_t{ComputeWindow(a.padding, shape[i], taps, stride).before};
    };
    const int64_t top = before(1, a.stride_h), left = before(2, a.stride_w);
    const at::Tensor cropped = at::constant_pad_nd(
        whole, {-left, shape[2] + left - whole.size(3), -top, shape[1] + top - whole.size(2)}, 0);
    return bias.defined() ? cropped.add(bias.view({1, -1, 1, 1})) : cropped;
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeTransposeConv(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<TransposeConvModule>(layer, options));
}

}  // namespace qat
