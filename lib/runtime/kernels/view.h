// view.h: kernels that only move values: the output as a strided view of the first data input.
#ifndef QAT_RUNTIME_KERNELS_VIEW_H_
#define QAT_RUNTIME_KERNELS_VIEW_H_

#include <memory>
#include <vector>

#include "runtime/kernels/kernel.h"
#include "runtime/kernels/reference/strided_copy.h"

namespace qat {

/// Checks that the output has the type and the scale of `input`. Errors: kUnsupported, kCorrupt.
Status CheckMoved(const KernelContext& context, const KernelTensor& input);

/// Bytes from one index of an axis to the next in a tensor of this shape.
std::vector<int64_t> StepsOf(const Shape& shape, size_t element);

/// Copies the view of the input at `position`. view.sizes has as many values as the output.
std::unique_ptr<Kernel> MakeViewKernel(const KernelContext& context, reference::StridedView view,
                                       size_t position = 0);

}  // namespace qat

#endif  // QAT_RUNTIME_KERNELS_VIEW_H_
