// quantize_example.h: one example of floats as int8, in the range that it has itself.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_QUANTIZE_EXAMPLE_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_QUANTIZE_EXAMPLE_H_

#include <cstdint>

#include "quant/params.h"

namespace qat::reference {

/// Scale 1 and zeros where all values are 0.
/// Rounding  half away from zero, in float32.
/// Source    equal bit by bit to SymmetricQuantizeFloats and AsymmetricQuantizeFloats of
///           tflite/kernels/internal/reference/portable_tensor_utils.cc, but for NaN, which counts as 0.
QuantizationParams QuantizeSymmetric(int64_t count, const float* input, int8_t* output);
QuantizationParams QuantizeAsymmetric(int64_t count, const float* input, int8_t* output);

}  // namespace qat::reference

#endif  // QAT_RUNTIME_KERNELS_REFERENCE_QUANTIZE_EXAMPLE_H_
