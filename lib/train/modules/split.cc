// Split and SplitV: each output of the node has a module, which gives its part.
#include "train/layout.h"
#include "train/modules/module.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

class SplitModule final : public Module {
 public:
  SplitModule(const LayerNode& layer, const ModuleOptions& options)
      : Module(layer, options), part_(static_cast<size_t>(layer.output)) {}

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext&) override {
    return Part(inputs[0]);
  }
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override {
    return {Part(inputs[0].values), inputs[0].params};
  }

 private:
  at::Tensor Part(const at::Tensor& input) const {
    const LayerNode& indices = node();
    const auto shapes = InferShapes(definition(), attributes(), indices.Operands());
    QAT_CHECK(shapes.ok());  // the graph has asked the same rule
    const int64_t axis = indices.Values("axis")[0];
    const auto in_shape = static_cast<size_t>(axis < 0 ? axis + input.dim() : axis);
    int64_t begin = 0;
    for (size_t i = 0; i < part_; ++i) begin += (*shapes)[i][in_shape];
    const int64_t length = (*shapes)[part_][in_shape];
    return Dense(input.narrow(functional::AxisInNchw(axis, input.dim()), begin, length));
  }

  size_t part_;
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeSplit(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<SplitModule>(layer, options));
}

Expected<std::unique_ptr<Module>> MakeSplitV(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<SplitModule>(layer, options));
}

}  // namespace qat
