// depthwise_conv_2d.h: depthwise convolution with the channels in the innermost loop.
#ifndef QAT_RUNTIME_KERNELS_PORTABLE_DEPTHWISE_CONV_2D_H_
#define QAT_RUNTIME_KERNELS_PORTABLE_DEPTHWISE_CONV_2D_H_

#include <cstddef>

#include "runtime/kernels/arithmetic.h"
#include "runtime/kernels/window.h"

namespace qat::portable {

/// Bytes of `sums` below.
size_t DepthwiseScratchSize(const Window2D& window);

/// Taps whose sums of int16 values surely stay inside int32.
inline constexpr int64_t kMostInt16Taps = 511;

/// Equal bit by bit to reference::DepthwiseConv2D. Requires a depth multiplier of 1; of int16 kMostInt16Taps
/// at most.
template <class Arithmetic>
void DepthwiseConv2D(const Window2D& window, const Arithmetic& arithmetic,
                     const typename Arithmetic::Element* input, const typename Arithmetic::Filter* filter,
                     const typename Arithmetic::Bias* bias, typename Arithmetic::Element* output,
                     uint8_t* sums);

}  // namespace qat::portable

#endif  // QAT_RUNTIME_KERNELS_PORTABLE_DEPTHWISE_CONV_2D_H_
