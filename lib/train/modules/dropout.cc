// Dropout with masks of our own streams: named by (step, layer), so a resumed run draws the same ones.
#include <ATen/ops/empty.h>

#include "base/random.h"
#include "base/strings.h"
#include "train/initializer.h"
#include "train/modules/module.h"

namespace qat {
namespace {

class DropoutModule final : public Module {
 public:
  DropoutModule(const LayerNode& layer, const ModuleOptions& options)
      : Module(layer, options), keep_(std::get<DropoutAttributes>(layer.attributes).keep) {}

  at::Tensor Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) override {
    if (!context.training) return inputs[0];
    return inputs[0].mul(
        Mask(inputs[0].sizes(), context.sharing.first, MixKey(context.dropout_key, NameKey(name()))));
  }
  SimulatedTensor Simulate(const std::vector<SimulatedTensor>& inputs) const override { return inputs[0]; }
  std::string PrettyPrint() const override {
    return StrCat(name(), ": ", definition().name, "(keep ", keep_, ")");
  }

 private:
  // 1 / keep with probability keep, else 0. The draws before those of example `first` are another process's.
  at::Tensor Mask(at::IntArrayRef sizes, int64_t first, uint64_t key) const {
    at::Tensor mask = at::empty(sizes, at::kFloat);
    Random random(key);
    for (int64_t i = 0; i < first * (mask.numel() / sizes[0]); ++i) random.Uniform();
    float* values = mask.data_ptr<float>();
    for (int64_t i = 0; i < mask.numel(); ++i) values[i] = random.Uniform() < keep_ ? 1.0f / keep_ : 0.0f;
    return mask;
  }

  float keep_;
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeDropout(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<DropoutModule>(layer, options));
}

}  // namespace qat
