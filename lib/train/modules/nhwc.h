// nhwc.h: TFLite's view of LibTorch's tensors: [N, C, H, W] counts as [N, H, W, C], every other rank as it
// is. Axes, shapes and index operands of a layer are in TFLite's order.
#ifndef QAT_TRAIN_MODULES_NHWC_H_
#define QAT_TRAIN_MODULES_NHWC_H_

#include <ATen/core/Tensor.h>

#include "base/shape.h"

namespace qat::functional {

/// A view in TFLite's order of axes, and back into LibTorch's, Dense (layout.h).
at::Tensor ToNhwc(const at::Tensor& input);
at::Tensor FromNhwc(const at::Tensor& input);

/// Where TFLite's axis lies in a tensor of LibTorch. Negative axes count from the last one.
int64_t AxisInNchw(int64_t axis, int64_t rank);

/// In TFLite's order, the batch included.
Shape ShapeInNhwc(const at::Tensor& input);

}  // namespace qat::functional

#endif  // QAT_TRAIN_MODULES_NHWC_H_
