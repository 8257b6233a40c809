// Tile: the input repeated along each axis. BroadcastTo: axes of size 1 repeated. Values are only moved.
#include "train/modules/moving.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

class RepeatModule final : public MovingModule {
 public:
  using MovingModule::MovingModule;

 private:
  at::Tensor Moved(const at::Tensor& input) const override {
    const LayerNode& indices = node();
    const at::Tensor rows = functional::ToNhwc(input);
    if (definition().type == OpType::kTile) {
      const std::vector<int32_t>& multiples = indices.Values("multiples");
      return functional::FromNhwc(rows.repeat(std::vector<int64_t>(multiples.begin(), multiples.end())));
    }
    const std::vector<int32_t>& sizes = indices.Values("shape");
    std::vector<int64_t> all(sizes.begin(), sizes.end());
    all[0] = input.size(0);  // as many examples as come in
    return functional::FromNhwc(rows.expand(all).contiguous());
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeTile(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<RepeatModule>(layer, options));
}

Expected<std::unique_ptr<Module>> MakeBroadcastTo(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<RepeatModule>(layer, options));
}

}  // namespace qat
