// Reshape in the order of NHWC, whatever LibTorch's own order: [N, C, H, W] is read as [N, H, W, C], and
// back.
#include "base/strings.h"
#include "train/layout.h"
#include "train/modules/fully_connected.h"
#include "train/modules/module.h"

namespace qat {
namespace {

class ReshapeModule final : public Module {
 public:
  ReshapeModule(const LayerNode& layer, const ModuleOptions& options)
      : Module(layer, options), output_shape_(layer.output_shape) {}

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext&) override {
    return Reshaped(inputs[0]);
  }
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    return {Reshaped(inputs[0].values), inputs[0].params};
  }
  std::string PrettyPrint() const override {
    return StrCat(name(), ": ", definition().name, "(to ", ToString(output_shape_), ")");
  }

 private:
  at::Tensor Reshaped(const at::Tensor& input) const {
    std::vector<int64_t> sizes(output_shape_.begin(), output_shape_.end());
    sizes[0] = input.size(0);
    const at::Tensor output = functional::FlattenNhwc(input).reshape(sizes);
    return output.dim() == 4 ? Dense(output.permute({0, 3, 1, 2})) : output;
  }

  Shape output_shape_;
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeReshape(const LayerNode& layer, const ModuleOptions& options) {
  if (layer.output_shape.size() < 2 || layer.output_shape[0] != 1) {
    return Unsupported(StrCat("layer '", layer.name, "': reshape to ", ToString(layer.output_shape),
                              " mixes examples of a batch, which has no training form"));
  }
  return std::unique_ptr<Module>(std::make_unique<ReshapeModule>(layer, options));
}

}  // namespace qat
