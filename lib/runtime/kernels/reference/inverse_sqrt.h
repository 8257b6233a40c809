// inverse_sqrt.h: 1 / sqrt(x) of a whole number as a multiplier.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_INVERSE_SQRT_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_INVERSE_SQRT_H_

#include <cstdint>

#include "quant/fixed_point.h"

namespace qat::reference {

/// By five Newton steps in Q3.28. 1, and what is below, gives 1 (multiplier 2^31 - 1, shift 0).
/// Source    equal bit by bit to GetInvSqrtQuantizedMultiplierExp in tflite/kernels/internal/common.cc; the
/// shift is
///           positive to the left.
FixedPointMultiplier InverseSqrt(int32_t x);

}  // namespace qat::reference

#endif  // QAT_RUNTIME_KERNELS_REFERENCE_INVERSE_SQRT_H_
