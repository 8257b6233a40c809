// Transpose: axis i of the output is axis permutation[i] of the input, both counted as TFLite does. Values
// are only moved.
#include "train/modules/moving.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

class TransposeModule final : public MovingModule {
 public:
  using MovingModule::MovingModule;

 private:
  at::Tensor Moved(const at::Tensor& input) const override {
    const LayerNode& indices = node();
    const std::vector<int32_t>& permutation = indices.Values("perm");
    return functional::FromNhwc(
        functional::ToNhwc(input).permute(std::vector<int64_t>(permutation.begin(), permutation.end())));
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeTranspose(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<TransposeModule>(layer, options));
}

}  // namespace qat
