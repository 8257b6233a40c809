// conv_2d.h: the loops that define a convolution.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_CONV_2D_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_CONV_2D_H_

#include "runtime/kernels/arithmetic.h"
#include "runtime/kernels/window.h"

namespace qat::reference {

/// output[n, y, x, o] = Output(bias[o] + sum of Product(input, filter[o]) over the taps inside the image),
/// taps in the order height, width, channel, the bias last.
/// With groups, filter o belongs to group o / (O / groups) and sees the channels of that group only.
/// Shapes    input [N, H, W, I], filter [O, H', W', I / groups], bias [O] or null, output [N, H'', W'', O].
/// Source    equal bit by bit to tflite/kernels/internal/reference/conv.h.
template <class Arithmetic>
void Conv2D(const Window2D& window, const Arithmetic& arithmetic, const typename Arithmetic::Element* input,
            const typename Arithmetic::Filter* filter, const typename Arithmetic::Bias* bias,
            typename Arithmetic::Result* output);

}  // namespace qat::reference

#endif  // QAT_RUNTIME_KERNELS_REFERENCE_CONV_2D_H_
