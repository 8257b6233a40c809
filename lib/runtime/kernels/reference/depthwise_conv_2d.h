// depthwise_conv_2d.h: the loops that define a depthwise convolution.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_DEPTHWISE_CONV_2D_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_DEPTHWISE_CONV_2D_H_

#include "runtime/kernels/arithmetic.h"
#include "runtime/kernels/window.h"

namespace qat::reference {

/// output[n, y, x, c * M + m] = Output(bias[c * M + m] + sum of Product(input[.., c], filter[.., c * M + m])
/// over the taps inside the image), taps in the order height, width, the bias last.
/// Shapes    input [N, H, W, C], filter [1, H', W', C * M], bias [C * M] or null, output [N, H'', W'', C *
/// M].
/// Source    equal bit by bit to tflite/kernels/internal/reference/depthwiseconv_uint8.h and its twins.
template <class Arithmetic>
void DepthwiseConv2D(const Window2D& window, const Arithmetic& arithmetic,
                     const typename Arithmetic::Element* input, const typename Arithmetic::Filter* filter,
                     const typename Arithmetic::Bias* bias, typename Arithmetic::Result* output);

}  // namespace qat::reference

#endif  // QAT_RUNTIME_KERNELS_REFERENCE_DEPTHWISE_CONV_2D_H_
