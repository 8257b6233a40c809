// padding.h: TFLite's window geometry. SAME with a stride pads the end more than the beginning, unlike
// PyTorch.
#ifndef QAT_OPS_PADDING_H_
#define QAT_OPS_PADDING_H_

#include <cstdint>

#include "ops/attributes.h"

namespace qat {

/// One axis of a window. `before` is what is padded at the beginning; the end gets `after`.
struct WindowExtent {
  int32_t output = 0;
  int32_t before = 0;
  int32_t after = 0;
};

/// SAME: output = ceil(input / stride), total = max((output - 1) * stride + (kernel - 1) * dilation + 1 -
/// input, 0), before = floor(total / 2). VALID: output = floor((input + stride - effective kernel) / stride),
/// no padding; <= 0 where the kernel does not fit. Source    tflite/kernels/padding.h.
WindowExtent ComputeWindow(Padding padding, int32_t input, int32_t kernel, int32_t stride,
                           int32_t dilation = 1);

}  // namespace qat

#endif  // QAT_OPS_PADDING_H_
