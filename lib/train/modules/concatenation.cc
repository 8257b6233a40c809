// Concatenation: all inputs and the output share one grid, so values are only moved.
#include <ATen/ops/cat.h>

#include "train/layout.h"
#include "train/modules/module.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

class ConcatenationModule final : public Module {
 public:
  ConcatenationModule(const LayerNode& layer, const ModuleOptions& options)
      : Module(layer, options), axis_(std::get<ConcatenationAttributes>(layer.attributes).axis) {}

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext&) override {
    return Joined(inputs);
  }
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    std::vector<at::Tensor> values;
    for (const SimulatedTensor& input : inputs) values.push_back(input.values);
    return {Joined(values), inputs[0].params};
  }

 private:
  at::Tensor Joined(const std::vector<at::Tensor>& inputs) const {
    return Dense(at::cat(inputs, functional::AxisInNchw(axis_, inputs[0].dim())));
  }

  int32_t axis_;
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeConcatenation(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<ConcatenationModule>(layer, options));
}

}  // namespace qat
