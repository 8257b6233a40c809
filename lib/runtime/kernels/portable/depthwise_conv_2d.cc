#include "runtime/kernels/portable/depthwise_conv_2d.h"

#include <algorithm>

namespace qat::portable {
namespace {

// sums[c] += product of one tap, in the order of the taps. Integer sums wrap.
template <class Arithmetic>
void AddTap(const Arithmetic& arithmetic, int64_t depth, const typename Arithmetic::Element* pixel,
            const typename Arithmetic::Filter* tap, typename Arithmetic::Accumulator* sums) {
  for (int64_t c = 0; c < depth; ++c)
    sums[c] = Arithmetic::Add(sums[c], arithmetic.Product(pixel[c], tap[c]));
}

template <class Arithmetic>
void SumWindow(const Window2D& w, const Arithmetic& arithmetic, const typename Arithmetic::Element* image,
               const typename Arithmetic::Filter* filter, int64_t top, int64_t left,
               typename Arithmetic::Accumulator* sums) {
  const int64_t depth = w.input_depth;
  std::fill_n(sums, depth, typename Arithmetic::Accumulator{0});
  for (int64_t i = 0; i < w.filter_h; ++i) {
    const int64_t y = top + i * w.dilation_h;
    if (y < 0 || y >= w.input_h) continue;
    for (int64_t j = 0; j < w.filter_w; ++j) {
      const int64_t x = left + j * w.dilation_w;
      if (x < 0 || x >= w.input_w) continue;
      AddTap(arithmetic, depth, image + (y * w.input_w + x) * depth, filter + (i * w.filter_w + j) * depth,
             sums);
    }
  }
}

}  // namespace

size_t DepthwiseScratchSize(const Window2D& window, size_t sum_size) {
  return static_cast<size_t>(window.input_depth) * sum_size;
}

template <class Arithmetic>
void DepthwiseConv2D(const Window2D& w, const Arithmetic& arithmetic,
                     const typename Arithmetic::Element* input, const typename Arithmetic::Filter* filter,
                     const typename Arithmetic::Bias* bias, typename Arithmetic::Element* output,
                     uint8_t* scratch) {
  auto* const sums = reinterpret_cast<typename Arithmetic::Accumulator*>(scratch);
  const int64_t depth = w.input_depth;
  for (int32_t n = 0; n < w.batch; ++n, input += int64_t{w.input_h} * w.input_w * depth) {
    for (int64_t y = 0; y < w.output_h; ++y) {
      for (int64_t x = 0; x < w.output_w; ++x, output += depth) {
        SumWindow(w, arithmetic, input, filter, y * w.stride_h - w.pad_top, x * w.stride_w - w.pad_left,
                  sums);
        if (bias != nullptr)
          for (int64_t c = 0; c < depth; ++c) sums[c] = Arithmetic::Add(sums[c], bias[c]);
        for (int64_t c = 0; c < depth; ++c) output[c] = arithmetic.Output(sums[c], c);
      }
    }
  }
}

template void DepthwiseConv2D(const Window2D&, const FloatArithmetic&, const float*, const float*,
                              const float*, float*, uint8_t*);
template void DepthwiseConv2D(const Window2D&, const FixedPointArithmetic<uint8_t>&, const uint8_t*,
                              const uint8_t*, const int32_t*, uint8_t*, uint8_t*);
template void DepthwiseConv2D(const Window2D&, const ChannelFixedPointArithmetic<int8_t>&, const int8_t*,
                              const int8_t*, const int32_t*, int8_t*, uint8_t*);
template void DepthwiseConv2D(const Window2D&, const ChannelFixedPointArithmetic<int16_t, int8_t, int64_t>&,
                              const int16_t*, const int8_t*, const int64_t*, int16_t*, uint8_t*);

}  // namespace qat::portable
