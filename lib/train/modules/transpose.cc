// Transpose: axis i of the output is axis permutation[i] of the input, both counted as TFLite does. Values are only moved.
#include "train/modules/module.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

class TransposeModule final : public Module {
 public:
  using Module::Module;

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext&) override {
    return Transposed(inputs[0]);
  }
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    return {Transposed(inputs[0].values), inputs[0].params};
  }

 private:
  at::Tensor Transposed(const at::Tensor& input) const {
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
