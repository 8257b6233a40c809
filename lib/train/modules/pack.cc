// Pack: inputs of one shape side by side along a new axis. All of them and the output share one grid.
#include <ATen/ops/stack.h>

#include "train/modules/module.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

class PackModule final : public Module {
 public:
  using Module::Module;

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext&) override {
    return Stacked(inputs);
  }
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    std::vector<at::Tensor> values;
    for (const SimulatedTensor& input : inputs) values.push_back(input.values);
    return {Stacked(values), inputs[0].params};
  }

 private:
  at::Tensor Stacked(const std::vector<at::Tensor>& inputs) const {
    std::vector<at::Tensor> rows;
    for (const at::Tensor& input : inputs) rows.push_back(functional::ToNhwc(input));
    return functional::FromNhwc(at::stack(rows, std::get<PackAttributes>(attributes()).axis));
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakePack(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<PackModule>(layer, options));
}

}  // namespace qat
