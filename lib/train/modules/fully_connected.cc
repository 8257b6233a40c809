#include "train/modules/fully_connected.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/mm.h>

#include "train/modules/module.h"

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
  using FilterModule::FilterModule;

 private:
  at::Tensor Apply(const at::Tensor& input, const at::Tensor& filter, const at::Tensor& bias) const override {
    return functional::FullyConnected(functional::FlattenNhwc(input), filter, bias);
  }
  at::Tensor Requantize(const at::Tensor& acc, float input_scale, const SimulatedFilter& filter,
                        const SimulatedOutput& output) const override {
    return RequantizeByDouble(acc, input_scale, filter, output);
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeFullyConnected(const LayerNode& layer, const ModuleOptions& options) {
  if (std::get<FullyConnectedAttributes>(layer.attributes).keep_num_dims) {
    return Unsupported("layer '" + layer.name + "': keep_num_dims is true, which has no training form");
  }
  return std::unique_ptr<Module>(std::make_unique<FullyConnectedModule>(layer, options));
}

}  // namespace qat
