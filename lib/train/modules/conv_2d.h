// conv_2d.h: convolution in LibTorch with TFLite's geometry. Attributes: ops/attributes.h.
#ifndef QAT_TRAIN_MODULES_CONV_2D_H_
#define QAT_TRAIN_MODULES_CONV_2D_H_

#include <ATen/core/Tensor.h>

#include "ops/attributes.h"

namespace qat::functional {

/// y[n, o, h, w] = bias[o] + sum of x * filter over the window, padding as TFLite places it (ops/padding.h).
/// Shapes    input [N, I, H, W], filter [O, I / groups, H, W], bias [O] or undefined. Any floating type.
at::Tensor Conv2D(const at::Tensor& input, const at::Tensor& filter, const at::Tensor& bias,
                  const Conv2DAttributes& attributes, int64_t groups = 1);

}  // namespace qat::functional

#endif  // QAT_TRAIN_MODULES_CONV_2D_H_
