// int16_sigmoid.h: logistic and tanh of int16 values, by one table of the sigmoid.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_INT16_SIGMOID_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_INT16_SIGMOID_H_

#include <cstdint>

namespace qat::reference {

/// Brings the input to steps of 1 / (3 * 4096): q * multiplier / 2^shift, halves up.
struct Int16SigmoidScaling {
  int32_t multiplier = 0;
  int shift = 0;
};

/// Scales that are a power of 2 are shifted exactly where 2^12 of their steps are 1 or (tanh only) 2.
/// Source    tflite/kernels/activations.cc, SigmoidPrepare and TanhPrepare.
Int16SigmoidScaling ComputeInt16SigmoidScaling(float input_scale, bool is_tanh);

/// In units of 2^-15. Source    equal bit by bit to tflite/kernels/internal/reference/integer_ops/logistic.h
/// and tanh.h.
int16_t Int16Logistic(Int16SigmoidScaling scaling, int16_t q);
int16_t Int16Tanh(Int16SigmoidScaling scaling, int16_t q);

}  // namespace qat::reference

#endif  // QAT_RUNTIME_KERNELS_REFERENCE_INT16_SIGMOID_H_
