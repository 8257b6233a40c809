// pool_2d.h: pools of bytes.
#ifndef QAT_RUNTIME_KERNELS_SIMD_POOL_2D_H_
#define QAT_RUNTIME_KERNELS_SIMD_POOL_2D_H_

#include "runtime/kernels/simd/instructions.h"
#include "runtime/kernels/window.h"

namespace qat::simd {

/// True if sums of a window stay inside int32.
bool CanAveragePool2D(const Window2D& window);
/// Bytes of `sums` below.
size_t AveragePoolScratchSize(const Window2D& window);
/// Equal byte for byte to reference::AveragePool2D. T is uint8_t or int8_t.
template <class T>
void AveragePool2D(const Instructions& instructions, const Window2D& window, T activation_min,
                   T activation_max, const T* input, T* output, uint8_t* sums);

size_t MaxPoolScratchSize(const Window2D& window);
/// Equal byte for byte to reference::MaxPool2D.
template <class T>
void MaxPool2D(const Instructions& instructions, const Window2D& window, T activation_min, T activation_max,
               const T* input, T* output, uint8_t* scratch);

}  // namespace qat::simd

#endif  // QAT_RUNTIME_KERNELS_SIMD_POOL_2D_H_
