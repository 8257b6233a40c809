// pool_2d.h: pools with the channels in the innermost loop.
#ifndef QAT_RUNTIME_KERNELS_PORTABLE_POOL_2D_H_
#define QAT_RUNTIME_KERNELS_PORTABLE_POOL_2D_H_

#include "runtime/kernels/window.h"

namespace qat::portable {

/// Equal bit by bit to reference::MaxPool2D.
template <class T>
void MaxPool2D(const Window2D& window, T activation_min, T activation_max, const T* input, T* output);

/// Equal bit by bit to reference::AveragePool2D.
void AveragePool2D(const Window2D& window, float activation_min, float activation_max, const float* input,
                   float* output);

}  // namespace qat::portable

#endif  // QAT_RUNTIME_KERNELS_PORTABLE_POOL_2D_H_
