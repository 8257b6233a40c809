// int16_softmax.h: softmax over rows of int16, by tables of exp and of the reciprocal.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_INT16_SOFTMAX_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_INT16_SOFTMAX_H_

#include <cstdint>

#include "base/expected.h"
#include "quant/fixed_point.h"
#include "runtime/kernels/reference/lookup.h"

namespace qat::reference {

/// output[i] = exp(beta * (input[i] - max)) / sum, in units of 2^-15 from 0 to 32767. Differences under -10
/// count as -10.
/// Source    equal bit by bit to tflite/kernels/internal/reference/softmax.h, SoftmaxInt16.
class Int16Softmax {
 public:
  /// Errors: kCorrupt where beta * input_scale is negative, no number or 10^5 and more.
  static Expected<Int16Softmax> Make(float beta, float input_scale);

  /// Shapes    input, output [rows, depth]. They may be the same memory.
  void Run(int64_t rows, int64_t depth, const int16_t* input, int16_t* output) const;

 private:
  void RunRow(int64_t depth, const int16_t* input, int16_t* output) const;

  FixedPointMultiplier multiplier_;  // differences to steps of 10 / 65535
  Int16Table exp_ = {};              // of [-10, 0]
  Int16Table reciprocal_ = {};       // 1 / (1 + x) of [0, 1]
};

}  // namespace qat::reference

#endif  // QAT_RUNTIME_KERNELS_REFERENCE_INT16_SOFTMAX_H_
