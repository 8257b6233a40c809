// conv_2d.h: convolution as an implicit product: windows are read from the image where they are, as one run
// of memory for each row of the filter.
#ifndef QAT_RUNTIME_KERNELS_SIMD_CONV_2D_H_
#define QAT_RUNTIME_KERNELS_SIMD_CONV_2D_H_

#include "runtime/kernels/portable/patches.h"
#include "runtime/kernels/simd/matrix.h"

namespace qat::simd {

/// True if the border that padding needs is not many times the image, as a wide dilation can make it.
bool CanConv2D(const Window2D& window);

/// A max pool of windows side by side over the output of a convolution.
struct PoolWindows {
  int32_t filter_h = 1;
  int32_t filter_w = 1;
  int32_t output_h = 0;
  int32_t output_w = 0;

  int64_t taps() const { return int64_t{filter_h} * filter_w; }
};

/// What Prepare keeps of one convolution.
struct Conv2D {
  Window2D window;
  portable::PatchLayout layout;
  PackedFilter filter;
  PoolWindows pool;     ///< of one tap: none
  int32_t columns = 1;  ///< of the output that one row of the product makes: few units leave lanes for more
};

/// What a convolution multiplies with. Shapes    filter [O, H, W, I]; bias empty or [O].
struct ConvWeights {
  std::span<const uint8_t> filter;
  std::span<const int32_t> bias;
  const Operands& operands;
  const Requantization& requantization;
};

/// `pool` runs after it, or is null; it does not where Conv2D::pool has one tap.
Conv2D PrepareConv2D(const Instructions& instructions, const Window2D& window, const ConvWeights& weights,
                     const PoolWindows* pool);
size_t ScratchSize(const Conv2D& conv, int threads);
/// Equal byte for byte to reference::Conv2D followed by reference::MaxPool2D.
void Run(const Conv2D& conv, const uint8_t* input, uint8_t* output, uint8_t* scratch, ThreadPool* pool);
/// The sums of one image alone, [H, W, O], with a border of `zero_point`; of a convolution that was prepared
/// without a bias, a pool and an input zero point.
void RunSums(const Conv2D& conv, const uint8_t* image, int32_t zero_point, int32_t* sums, uint8_t* scratch,
             ThreadPool* pool);

}  // namespace qat::simd

#endif  // QAT_RUNTIME_KERNELS_SIMD_CONV_2D_H_
