// quantize_example.h: one example of floats as int8, in the range that it has itself.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_QUANTIZE_EXAMPLE_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_QUANTIZE_EXAMPLE_H_

#include <cstdint>

#include "quant/params.h"

namespace qat::reference {

/// Scale 1 and zeros where all values are 0.
/// Rounding  half away from zero, in float32, before the zero point is added. Of each whole group of 8 values
/// by adding
///           0.5 and truncating, which also takes the largest float below 0.5 to 1; of what is left exactly.
/// Source    equal bit by bit to what every shipped TFLite runs on x86-64, whose vector routines
/// (tensor_utils, by way of
///           NEON_2_SSE) replace the portable ones; but for NaN, which counts as 0.
QuantizationParams QuantizeSymmetric(int64_t count, const float* input, int8_t* output);
QuantizationParams QuantizeAsymmetric(int64_t count, const float* input, int8_t* output);

}  // namespace qat::reference

#endif  // QAT_RUNTIME_KERNELS_REFERENCE_QUANTIZE_EXAMPLE_H_
