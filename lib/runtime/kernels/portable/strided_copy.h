// strided_copy.h: slices and transposes in as few and as long copies as they allow.
#ifndef QAT_RUNTIME_KERNELS_PORTABLE_STRIDED_COPY_H_
#define QAT_RUNTIME_KERNELS_PORTABLE_STRIDED_COPY_H_

#include "runtime/kernels/reference/strided_copy.h"

namespace qat::portable {

/// The same elements in the same order over fewer axes: axes of one index go, axes that walk on where the
/// next one ends are one axis, and what is contiguous is one element.
reference::StridedView Simplify(const reference::StridedView& view);

/// Equal to reference::CopyView. Requires a view out of Simplify, none of its sizes 0.
void CopyView(const reference::StridedView& view, const uint8_t* input, uint8_t* output);

}  // namespace qat::portable

#endif  // QAT_RUNTIME_KERNELS_PORTABLE_STRIDED_COPY_H_
