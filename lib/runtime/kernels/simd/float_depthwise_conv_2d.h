// float_depthwise_conv_2d.h: depthwise convolution on floats, read in place: pixels whose windows reach over
// the edge of the image are computed apart, with the taps that are inside.
#ifndef QAT_RUNTIME_KERNELS_SIMD_FLOAT_DEPTHWISE_CONV_2D_H_
#define QAT_RUNTIME_KERNELS_SIMD_FLOAT_DEPTHWISE_CONV_2D_H_

#include <span>

#include "runtime/kernels/arithmetic.h"
#include "runtime/kernels/simd/matrix.h"
#include "runtime/kernels/window.h"

namespace qat::simd {

class FloatDepthwiseConv2D {
 public:
  /// Shapes    filter [1, H, W, C]. Requires a depth multiplier of 1.
  FloatDepthwiseConv2D(const Instructions& instructions, const Window2D& window,
                       std::span<const float> filter);
  /// Shapes    bias [C] or null.
  void Run(const FloatArithmetic& arithmetic, const float* input, const float* bias, float* output,
           uint8_t* scratch, ThreadPool* pool) const;
  size_t ScratchSize(int threads) const;

 private:
  int64_t padded_lanes() const { return padded_lanes_; }
  int64_t window_taps() const { return int64_t{window_.filter_h} * window_.filter_w; }
  void RunRow(FloatDepthwiseRun run, int64_t y, int64_t* offsets) const;
  int64_t TapsInside(int64_t y, int64_t x, int64_t* input_offsets, int64_t* filter_offsets) const;

  const FloatInstructions* instructions_;
  Window2D window_;
  int64_t period_;
  int64_t padded_lanes_;  // the period in whole vectors
  AlignedBytes filter_;
};

}  // namespace qat::simd

#endif  // QAT_RUNTIME_KERNELS_SIMD_FLOAT_DEPTHWISE_CONV_2D_H_
