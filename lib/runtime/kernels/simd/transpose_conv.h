// transpose_conv.h: transposed convolution as a product: each pixel of the input times all taps of all units
// at once, whose products are then added where they belong.
#ifndef QAT_RUNTIME_KERNELS_SIMD_TRANSPOSE_CONV_H_
#define QAT_RUNTIME_KERNELS_SIMD_TRANSPOSE_CONV_H_

#include "runtime/kernels/simd/matrix.h"
#include "runtime/kernels/window.h"

namespace qat::simd {

class TransposeConv2D {
 public:
  /// Shapes    filter [O, H, W, I] of bytes; `window` has the sizes of the input and the output, and the
  /// padding of the
  ///           convolution backwards.
  TransposeConv2D(const Instructions& instructions, const Window2D& window, std::span<const uint8_t> filter,
                  const Operands& operands);

  size_t ScratchSize() const;
  /// Sums [H, W, O] of one image; int32 sums wrap. Equal to the sums of reference::TransposeConv.
  void Sums(const uint8_t* image, int32_t* sums, uint8_t* scratch) const;
  const Window2D& window() const { return window_; }

 private:
  int64_t RowSize() const;
  void AddLine(int32_t y, const int32_t* products, int32_t* sums) const;

  Window2D window_;
  PackedFilter filter_;  // units [H, W, O]
};

}  // namespace qat::simd

#endif  // QAT_RUNTIME_KERNELS_SIMD_TRANSPOSE_CONV_H_
