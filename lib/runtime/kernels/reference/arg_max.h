// arg_max.h: the index of the largest or least value along one axis.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_ARG_MAX_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_ARG_MAX_H_

#include <cstdint>

namespace qat::reference {

/// output[o, i] = first index a of the input[o, a, i] that no other is better than; quantized values are
/// compared as they are.
/// Shapes    input [outer, axis_size, inner], axis_size >= 1; output [outer, inner].
template <class T, class Index, class Better>
void ArgBest(int64_t outer, int64_t axis_size, int64_t inner, const T* input, Index* output, Better better) {
  for (int64_t o = 0; o < outer; ++o, input += axis_size * inner) {
    for (int64_t i = 0; i < inner; ++i) {
      int64_t best = 0;
      for (int64_t a = 1; a < axis_size; ++a) {
        if (better(input[a * inner + i], input[best * inner + i])) best = a;
      }
      *output++ = static_cast<Index>(best);
    }
  }
}

}  // namespace qat::reference

#endif  // QAT_RUNTIME_KERNELS_REFERENCE_ARG_MAX_H_
