// mean.h: what some axes are reduced to, and what becomes of a quantized sum.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_MEAN_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_MEAN_H_

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "base/shape.h"
#include "quant/fixed_point.h"

namespace qat::reference {

/// steps[i]: how far an axis of the input moves in the output; 0 along a reduced one.
/// Calls reduce(its output, input[...]) for every input, in row-major order.
template <class T, class Out, class F>
const T* Reduce(const Shape& shape, const std::vector<int64_t>& steps, size_t axis, const T* input,
                Out* outputs, const F& reduce) {
  if (axis == shape.size()) {
    reduce(*outputs, *input);
    return input + 1;
  }
  for (int32_t i = 0; i < shape[axis]; ++i)
    input = Reduce(shape, steps, axis + 1, input, outputs + i * steps[axis], reduce);
  return input;
}

/// The multiplier of a mean over `count` values: that of the scales divided by count in integers, shifted to
/// the left as far as 64 bits allow.
/// Source    equal bit by bit to tflite/kernels/internal/reference/integer_ops/mean.h.
inline FixedPointMultiplier MeanMultiplier(FixedPointMultiplier scales, int64_t count) {
  const int shift = std::min({63 - std::countl_zero(static_cast<uint64_t>(count)), 32, 31 + scales.shift});
  return {static_cast<int32_t>((int64_t{scales.multiplier} << shift) / count), scales.shift - shift};
}

}  // namespace qat::reference

#endif  // QAT_RUNTIME_KERNELS_REFERENCE_MEAN_H_
