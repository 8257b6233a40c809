// MirrorPad: a border of the input itself, mirrored at its ends. Values are only moved.
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include "train/layout.h"
#include "train/modules/moving.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

class MirrorPadModule final : public MovingModule {
 public:
  using MovingModule::MovingModule;

 private:
  at::Tensor Moved(const at::Tensor& input) const override {
    const LayerNode& indices = node();
    const std::vector<int32_t>& pads = indices.Values("pads");
    const bool symmetric = std::get<MirrorPadAttributes>(attributes()).symmetric;
    at::Tensor padded = input;
    for (int64_t i = 0; i < input.dim(); ++i) {
      const int64_t before = pads[static_cast<size_t>(2 * i)], after = pads[static_cast<size_t>(2 * i + 1)];
      if (before == 0 && after == 0) continue;
      const int64_t axis = functional::AxisInNchw(i, input.dim());
      padded = at::index_select(padded, axis, Mirrored(input.size(axis), before, after, symmetric));
    }
    return Dense(padded);
  }

  // Which index each place of the padded axis shows. A symmetric mirror shows the first and the last one
  // twice.
  static at::Tensor Mirrored(int64_t size, int64_t before, int64_t after, bool symmetric) {
    const int64_t twice = symmetric ? 1 : 0;
    std::vector<int64_t> shown;
    for (int64_t i = -before; i < size + after; ++i)
      shown.push_back(i < 0 ? -i - twice : i >= size ? 2 * (size - 1) - i + twice : i);
    return at::tensor(shown);
  }
};

}  // namespace

Expected<std::unique_ptr<Module>> MakeMirrorPad(const LayerNode& layer, const ModuleOptions& options) {
  return std::unique_ptr<Module>(std::make_unique<MirrorPadModule>(layer, options));
}

}  // namespace qat
