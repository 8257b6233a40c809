// pool_2d.h: pooling in LibTorch with TFLite's geometry: windows see only what lies inside the image.
#ifndef QAT_TRAIN_MODULES_POOL_2D_H_
#define QAT_TRAIN_MODULES_POOL_2D_H_

#include <ATen/core/Tensor.h>

#include "ops/attributes.h"

namespace qat::functional {

/// Largest value of each window, with autograd: the gradient goes to the first of equal values. Loops of our
/// own, which keep one byte per window where at::max_pool2d keeps an index of eight, and know its common
/// case.
/// Shapes    [N, C, H, W], float32. Requires windows of at most 256 values.
at::Tensor MaxPool2D(const at::Tensor& input, const Pool2DAttributes& attributes);

/// The same on quantized values, by at::max_pool2d.
at::Tensor MaxPoolIntegers(const at::Tensor& values, const Pool2DAttributes& attributes);

/// Sum of each window, and [1, 1, H', W'] the number of values in it; their quotient is the average.
struct WindowSums {
  at::Tensor sums;
  at::Tensor counts;
};
WindowSums SumPool2D(const at::Tensor& input, const Pool2DAttributes& attributes);

}  // namespace qat::functional

#endif  // QAT_TRAIN_MODULES_POOL_2D_H_
