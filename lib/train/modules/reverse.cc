// ReverseV2: some of TFLite's axes backwards. Values are only moved.
#include <ATen/ops/flip.h>

#include "train/layout.h"
#include "train/modules/moving.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

class ReverseModule final : public MovingModule {
 public:
  using MovingModule::MovingModule;

 private:
  at::Tensor Moved(const at::Tensor& input) const override {
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
