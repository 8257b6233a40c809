#include "train/modules/fully_connected.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>

#include "train/modules/module.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace functional {

at::Tensor FlattenNhwc(const at::Tensor& input) {
  const at::Tensor rows = input.dim() == 4 ? input.permute({0, 2, 3, 1}) : input;
  return rows.reshape({input.size(0), -1});
}

at::Tensor FullyConnected(const at::Tensor& input, const at::Tensor& filter, const at::Tensor& bias) {
  return bias.defined() ? at::addmm(bias, input, filter.t()) : at::mm(input, filter.t());
}

}  // namespace functional

namespace {

class FullyConnectedModule final : public FilterModule {
 public:
  FullyConnectedModule(const LayerNode& layer, const ModuleOptions& options)
      : FilterModule(layer, options),
        keeps_axes_(std::get<FullyConnectedAttributes>(layer.attributes).keep_num_dims) {}

 private:
  at::Tensor Apply(const at::Tensor& input, const at::Tensor& filter, const at::Tensor& bias) const override {
    const at::Tensor rows =
        keeps_axes_ ? functional::ToNhwc(input).reshape({-1, input.size(input.dim() == 4 ? 1 : -1)})
                    : functional::FlattenNhwc(input);
    return functional::FullyConnected(rows, filter, bias);
  }
  // The last axis of the input is what is multiplied; the others stay.
  at::Tensor Arrange(const at::Tensor& rows, const at::Tensor& input) const override {
    if (!keeps_axes_) return rows;
    std::vector<int64_t> sizes = functional::ToNhwc(input).sizes().vec();
    sizes.back() = rows.size(1);
    return functional::FromNhwc(rows.reshape(sizes));
  }
  at::Tensor Requantize(const at::Tensor& acc, float input_scale, const SimulatedFilter& filter,
                        const SimulatedOutput& output) const override {
    return RequantizeByDouble(acc, input_scale, filter, output);
  }

  bool keeps_axes_;
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeFullyConnected(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<FullyConnectedModule>(layer, options));
}

}  // namespace qat
