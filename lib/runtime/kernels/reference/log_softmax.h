// log_softmax.h: logarithms of a softmax over rows, in fixed point.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_LOG_SOFTMAX_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_LOG_SOFTMAX_H_

#include <cstdint>

#include "runtime/kernels/reference/softmax.h"

namespace qat::reference {

/// What Prepare works out of the input's scale.
struct LogSoftmaxScaling {
  SoftmaxScaling exp;              ///< with beta = 1
  FixedPointMultiplier to_inputs;  ///< from Q5.26 back to differences of inputs; shift <= 0
};
LogSoftmaxScaling MakeLogSoftmaxScaling(const SoftmaxScaling& exp);

/// output = input - max - ln(sum of exp(input - max)) in 16ths; 0 is the largest value of T.
/// Shapes    input, output [rows, depth].
/// Source    equal bit by bit to tflite/kernels/internal/reference/log_softmax.h and
/// integer_ops/log_softmax.h; rows of
///           4096 values and more may overflow its sum, which wraps here.
template <class T>
void LogSoftmax(int64_t rows, int64_t depth, const LogSoftmaxScaling& scaling, const T* input, T* output);

}  // namespace qat::reference

#endif  // QAT_RUNTIME_KERNELS_REFERENCE_LOG_SOFTMAX_H_
