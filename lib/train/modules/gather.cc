// Gather: the slices of an axis that a list of indices names. Values are only moved.
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include "train/layout.h"
#include "train/modules/moving.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

class GatherModule final : public MovingModule {
 public:
  using MovingModule::MovingModule;

 private:
  at::Tensor Moved(const at::Tensor& input) const override {
    const LayerNode& operands = node();
    const std::vector<int32_t>& indices = operands.Values("indices");
    const int64_t axis = functional::AxisInNchw(std::get<GatherAttributes>(attributes()).axis, input.dim());
    const at::Tensor list = at::tensor(std::vector<int64_t>(indices.begin(), indices.end()));
    return Dense(at::index_select(input, axis, list));
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeGather(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<GatherModule>(layer, options));
}

}  // namespace qat
