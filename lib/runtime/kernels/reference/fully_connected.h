// fully_connected.h: the loops that define a fully connected layer.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_FULLY_CONNECTED_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_FULLY_CONNECTED_H_

#include <cstdint>

#include "runtime/kernels/arithmetic.h"

namespace qat {

struct MatrixShape {
  int64_t rows = 0;       ///< examples
  int64_t acc_depth = 0;  ///< values of one example
  int64_t units = 0;      ///< outputs of one example
};

namespace reference {

/// output[n, o] = Output(bias[o] + sum over i of Product(input[n, i], filter[o, i])), the bias last.
/// Shapes    input [rows, acc_depth], filter [units, acc_depth], bias [units] or null, output [rows, units].
/// Source    equal bit by bit to tflite/kernels/internal/reference/fully_connected.h.
template <class Arithmetic>
void FullyConnected(const MatrixShape& shape, const Arithmetic& arithmetic,
                    const typename Arithmetic::Element* input, const typename Arithmetic::Filter* filter,
                    const typename Arithmetic::Bias* bias, typename Arithmetic::Result* output);

}  // namespace reference
}  // namespace qat

#endif  // QAT_RUNTIME_KERNELS_REFERENCE_FULLY_CONNECTED_H_
