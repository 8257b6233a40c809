// elementwise.h: float loops in a form that the compiler vectorizes, in the order of the reference.
#ifndef QAT_RUNTIME_KERNELS_PORTABLE_ELEMENTWISE_H_
#define QAT_RUNTIME_KERNELS_PORTABLE_ELEMENTWISE_H_

#include <cstdint>

#include "runtime/kernels/arithmetic.h"

namespace qat::portable {

/// output[i] = clamp(a[i] op b[i]). a and b may be the output.
void Add(const FloatArithmetic& clamp, int64_t size, const float* a, const float* b, float* output);
void Subtract(const FloatArithmetic& clamp, int64_t size, const float* a, const float* b, float* output);
void Multiply(const FloatArithmetic& clamp, int64_t size, const float* a, const float* b, float* output);

/// sums[i] += value i of each of `count` rows, one row after the other, `step` floats apart.
void SumRows(const float* rows, int64_t count, int64_t step, int64_t size, float* sums);

}  // namespace qat::portable

#endif  // QAT_RUNTIME_KERNELS_PORTABLE_ELEMENTWISE_H_
