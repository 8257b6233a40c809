// float_depthwise_rows.h: depthwise convolution on floats with the usual windows, 3 or 5 columns that move by
// 1 or 2: one row of the output at a time, or two that share rows of the input, read in place.
#ifndef QAT_RUNTIME_KERNELS_SIMD_FLOAT_DEPTHWISE_ROWS_H_
#define QAT_RUNTIME_KERNELS_SIMD_FLOAT_DEPTHWISE_ROWS_H_

#include <span>

#include "runtime/kernels/arithmetic.h"
#include "runtime/kernels/simd/matrix.h"
#include "runtime/kernels/window.h"

namespace qat::simd {

class FloatDepthwiseRows {
 public:
  /// True for a window it is made for, on channels that fill a vector.
  static bool Can(const Instructions& instructions, const Window2D& window);
  /// Shapes    filter [1, H, W, C]. Requires a depth multiplier of 1, and Can.
  FloatDepthwiseRows(const Instructions& instructions, const Window2D& window, std::span<const float> filter);
  /// Sums in the order of the reference, each product fused with its sum.
  /// Shapes    bias [C] or null.
  void Run(const FloatArithmetic& arithmetic, const float* input, const float* bias, float* output,
           uint8_t* scratch, ThreadPool* pool) const;
  size_t ScratchSize() const;

 private:
  /// Rows of the filter, or of the input, that are inside the image.
  struct Rows {
    int64_t begin, end;
  };
  FloatDepthwiseRow AsRow(const FloatArithmetic& arithmetic, const float* bias) const;
  Rows FilterRowsInside(int64_t y) const;
  bool MakesTwoRows(int64_t y) const;
  void RunRow(FloatDepthwiseRow row, int64_t y, bool two) const;

  Window2D window_;
  const FloatInstructions* instructions_;
  bool makes_two_rows_;
  AlignedBytes filter_;  // [vectors][H, W][lanes]
};

}  // namespace qat::simd

#endif  // QAT_RUNTIME_KERNELS_SIMD_FLOAT_DEPTHWISE_ROWS_H_
