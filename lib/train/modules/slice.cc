// Slice and StridedSlice: a box of the input. Values are only moved.
#include "ops/slice_geometry.h"

#include <algorithm>

#include "base/strings.h"
#include "train/modules/moving.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

// The indices begin, begin + stride, … along one axis; LibTorch's slices cannot run backwards.
at::Tensor Along(const at::Tensor& input, int64_t axis, const SliceAxis& part) {
  const int64_t last = part.begin + (part.count - 1) * part.stride;
  if (part.stride > 0) return input.slice(axis, part.begin, last + 1, part.stride);
  return input.slice(axis, last, part.begin + 1, -part.stride).flip({axis});
}

class SliceModule final : public MovingModule {
 public:
  using MovingModule::MovingModule;

 private:
  at::Tensor Moved(const at::Tensor& input) const override {
    const LayerNode& indices = node();
    const auto axes = definition().type == OpType::kSlice
                          ? SliceGeometry(indices.Operands())
                          : StridedSliceGeometry(attributes(), indices.Operands());
    QAT_CHECK(axes.ok());  // the graph's shape rule has read the same
    at::Tensor box = functional::ToNhwc(input);
    for (size_t i = axes->size(); i-- > 1;) {  // the batch stays whole
      const auto axis = static_cast<int64_t>(i);
      box = Along(box, axis, (*axes)[i]);
      if ((*axes)[i].dropped) box = box.squeeze(axis);
    }
    return functional::FromNhwc(box);
  }
};

Status ExpectWholeBatch(const LayerNode& layer) {
  const auto axes = layer.type == OpType::kSlice ? SliceGeometry(layer.Operands())
                                                 : StridedSliceGeometry(layer.attributes, layer.Operands());
  const bool inserts =
      axes.ok() && std::any_of(axes->begin(), axes->end(), [](const SliceAxis& a) { return a.inserted; });
  if (axes.ok() && !axes->empty() && !inserts && (*axes)[0].begin == 0 && (*axes)[0].stride == 1 &&
      !(*axes)[0].dropped)
    return {};
  return Unsupported(StrCat("layer '", layer.name,
                            "': ", inserts ? "inserts an axis" : "cuts the axis of the batch",
                            ", which has no training form"));
}

}  // namespace

Expected<std::unique_ptr<Module>> MakeSlice(const LayerNode& layer, const ModuleOptions& options) {
  QAT_RETURN_IF_ERROR(ExpectWholeBatch(layer));
  return std::unique_ptr<Module>(std::make_unique<SliceModule>(layer, options));
}

Expected<std::unique_ptr<Module>> MakeStridedSlice(const LayerNode& layer, const ModuleOptions& options) {
  QAT_RETURN_IF_ERROR(ExpectWholeBatch(layer));
  return std::unique_ptr<Module>(std::make_unique<SliceModule>(layer, options));
}

}  // namespace qat
