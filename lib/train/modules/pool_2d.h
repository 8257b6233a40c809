// pool_2d.h: pooling in LibTorch with TFLite's geometry: windows see only what lies inside the image.
#ifndef QAT_TRAIN_MODULES_POOL_2D_H_
#define QAT_TRAIN_MODULES_POOL_2D_H_

#include <ATen/core/Tensor.h>

#include "ops/attributes.h"

namespace qat::functional {

/// Largest value of each window. Shapes: [N, C, H, W]; any floating type.
at::Tensor MaxPool2D(const at::Tensor& input, const Pool2DAttributes& attributes);

/// Sum of each window, and [1, 1, H', W'] the number of values in it; their quotient is the average.
struct WindowSums {
  at::Tensor sums;
  at::Tensor counts;
};
WindowSums SumPool2D(const at::Tensor& input, const Pool2DAttributes& attributes);

}  // namespace qat::functional

#endif  // QAT_TRAIN_MODULES_POOL_2D_H_
