#include "train/modules/nhwc.h"

#include "train/layout.h"

namespace qat::functional {

at::Tensor ToNhwc(const at::Tensor& input) { return input.dim() == 4 ? input.permute({0, 2, 3, 1}) : input; }

at::Tensor FromNhwc(const at::Tensor& input) {
  return Dense(input.dim() == 4 ? input.permute({0, 3, 1, 2}) : input);
}

int64_t AxisInNchw(int64_t axis, int64_t rank) {
  if (axis < 0) axis += rank;
  if (rank != 4 || axis == 0) return axis;
  return axis == 3 ? 1 : axis + 1;
}

Shape ShapeInNhwc(const at::Tensor& input) {
  Shape shape;
  for (int64_t i = 0; i < input.dim(); ++i) {
    shape.push_back(static_cast<int32_t>(input.size(AxisInNchw(i, input.dim()))));
  }
  return shape;
}

}  // namespace qat::functional
