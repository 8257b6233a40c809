// Cumsum: running sums along one of TFLite's axes. Of reals only.
#include <ATen/ops/cat.h>
#include <ATen/ops/cumsum.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/zeros_like.h>

#include "base/check.h"
#include "train/layout.h"
#include "train/modules/module.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

class CumsumModule final : public Module {
 public:
  using Module::Module;

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override {
    const at::Tensor& input = inputs[0];
    const LayerNode& indices = node();
    const auto& a = std::get<CumsumAttributes>(attributes());
    const int64_t axis = functional::AxisInNchw(indices.Values("axis")[0], input.dim());
    at::Tensor sums = a.reverse ? at::flip(input, {axis}) : input;
    // Without the value itself: the sum up to the one before it.
    if (a.exclusive) {
      const at::Tensor nothing = at::zeros_like(sums.narrow(axis, 0, 1));
      sums = at::cat({nothing, sums.narrow(axis, 0, sums.size(axis) - 1)}, axis);
    }
    sums = at::cumsum(sums, axis);
    return Finish(Dense(a.reverse ? at::flip(sums, {axis}) : sums), context);
  }
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    QAT_CHECK(false);
    return inputs[0];
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeCumsum(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<CumsumModule>(layer, options));
}

}  // namespace qat
