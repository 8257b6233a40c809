// pool_2d.h: the loops that define max and average pools. Taps outside the image do not exist: neither
// zeros nor counted.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_POOL_2D_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_POOL_2D_H_

#include "runtime/kernels/window.h"

namespace qat::reference {

/// output = clamp(largest tap). Quantized values are compared as they are: input and output share scale and
/// zero point.
/// Source    equal bit by bit to tflite/kernels/internal/reference/pooling.h; so is AveragePool2D.
template <class T>
void MaxPool2D(const Window2D& window, T activation_min, T activation_max, const T* input, T* output);

/// output = clamp(sum / count); on uint8 (sum + count / 2) / count in integers: ties go up;
/// on int8 they go away from zero.
template <class T>
void AveragePool2D(const Window2D& window, T activation_min, T activation_max, const T* input, T* output);

}  // namespace qat::reference

#endif  // QAT_RUNTIME_KERNELS_REFERENCE_POOL_2D_H_
