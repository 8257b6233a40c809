// SpaceToDepth: every block of pixels becomes the channels of one pixel, row by row. DepthToSpace: the other
// way round. Values are only moved.
#include "train/modules/moving.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

class BlockModule final : public MovingModule {
 public:
  using MovingModule::MovingModule;

 private:
  at::Tensor Moved(const at::Tensor& input) const override {
    const int64_t block = std::get<BlockAttributes>(attributes()).size;
    const at::Tensor image = functional::ToNhwc(input);
    const int64_t n = image.size(0), h = image.size(1), w = image.size(2), c = image.size(3);
    if (definition().type == OpType::kSpaceToDepth) {
      const at::Tensor blocks = image.reshape({n, h / block, block, w / block, block, c});
      return functional::FromNhwc(
          blocks.permute({0, 1, 3, 2, 4, 5}).reshape({n, h / block, w / block, block * block * c}));
    }
    const int64_t depth = c / (block * block);
    const at::Tensor blocks = image.reshape({n, h, w, block, block, depth});
    return functional::FromNhwc(blocks.permute({0, 1, 3, 2, 4, 5}).reshape({n, h * block, w * block, depth}));
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeSpaceToDepth(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<BlockModule>(layer, options));
}

Expected<std::unique_ptr<Module>> MakeDepthToSpace(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<BlockModule>(layer, options));
}

}  // namespace qat
