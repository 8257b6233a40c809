// ReverseV2: some of TFLite's axes backwards. Values are only moved.
#include <ATen/ops/flip.h>

#include "train/layout.h"
#include "train/modules/module.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

class ReverseModule final : public Module {
 public:
  using Module::Module;

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext&) override {
    return Moved(inputs[0]);
  }
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    return {Moved(inputs[0].values), inputs[0].params};
  }

 private:
  at::Tensor Moved(const at::Tensor& input) const {
    const LayerNode& indices = node();
    std::vector<int64_t> axes;
    for (const int32_t axis : indices.Values("axes"))
      axes.push_back(functional::AxisInNchw(axis, input.dim()));
    return Dense(at::flip(input, axes));
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeReverseV2(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<ReverseModule>(layer, options));
}

}  // namespace qat
