// fully_connected.h: the matrix product in LibTorch, with input columns in the order that TFLite flattens
// images in.
#ifndef QAT_TRAIN_MODULES_FULLY_CONNECTED_H_
#define QAT_TRAIN_MODULES_FULLY_CONNECTED_H_

#include <ATen/core/Tensor.h>

namespace qat::functional {

/// [N, C, H, W] -> [N, H * W * C], the order of NHWC; other ranks -> [N, all the rest].
at::Tensor FlattenNhwc(const at::Tensor& input);

/// y[n, o] = bias[o] + sum over i of x[n, i] * filter[o, i]. Shapes: input [N, I], filter [O, I], bias [O] or
/// undefined.
at::Tensor FullyConnected(const at::Tensor& input, const at::Tensor& filter, const at::Tensor& bias);

}  // namespace qat::functional

#endif  // QAT_TRAIN_MODULES_FULLY_CONNECTED_H_
