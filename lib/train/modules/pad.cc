// Pad: a border of real zeros, which every grid holds; among quantized values it is the zero point.
#include <ATen/ops/constant_pad_nd.h>

#include "train/layout.h"
#include "train/modules/module.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

class PadModule final : public Module {
 public:
  using Module::Module;

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext&) override {
    return Padded(inputs[0], 0);
  }
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    return {Padded(inputs[0].values, inputs[0].params.zero_point), inputs[0].params};
  }

 private:
  at::Tensor Padded(const at::Tensor& input, double fill) const {
    const LayerNode& indices = node();
    const std::vector<int32_t>& pads = indices.Values("pads");
    const int64_t rank = input.dim();
    // LibTorch counts axes from the last one.
    std::vector<int64_t> reversed(pads.size());
    for (int64_t axis = 0; axis < rank; ++axis) {
      const auto to = static_cast<size_t>(2 * (rank - 1 - functional::AxisInNchw(axis, rank)));
      reversed[to] = pads[static_cast<size_t>(2 * axis)];
      reversed[to + 1] = pads[static_cast<size_t>(2 * axis + 1)];
    }
    return Dense(at::constant_pad_nd(input, reversed, fill));
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakePad(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<PadModule>(layer, options));
}

}  // namespace qat
