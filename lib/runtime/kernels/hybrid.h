// hybrid.h: float layers whose filters a converter stored in 8 bits ("dynamic range"): each example is
// quantized by its own range when it comes, sums are integers, outputs float.
#ifndef QAT_RUNTIME_KERNELS_HYBRID_H_
#define QAT_RUNTIME_KERNELS_HYBRID_H_

#include <memory>

#include "runtime/kernels/kernel.h"
#include "runtime/kernels/reference/fully_connected.h"
#include "runtime/kernels/window.h"

namespace qat {

/// True for an int8 filter (the second input) between float input and output.
bool IsHybrid(const KernelContext& context);

/// The filter has one scale, or one per output channel. Errors: kCorrupt, kUnsupported (a bias that is not
/// float; one scale for several channels of a depthwise convolution).
Expected<std::unique_ptr<Kernel>> PrepareHybridConv2D(const KernelContext& context, const Window2D& window);
Expected<std::unique_ptr<Kernel>> PrepareHybridDepthwiseConv2D(const KernelContext& context,
                                                               const Window2D& window);
Expected<std::unique_ptr<Kernel>> PrepareHybridFullyConnected(const KernelContext& context,
                                                              const MatrixShape& shape);

}  // namespace qat

#endif  // QAT_RUNTIME_KERNELS_HYBRID_H_
