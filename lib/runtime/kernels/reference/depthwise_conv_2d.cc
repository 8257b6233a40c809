#include "runtime/kernels/reference/depthwise_conv_2d.h"

namespace qat::reference {
namespace {

// `filter` points at the first tap of one output channel; taps are output_depth apart.
template <class Arithmetic, class Element = typename Arithmetic::Element>
typename Arithmetic::Accumulator SumTaps(const Window2D& w, const Arithmetic& arithmetic,
                                         const Element* image, const typename Arithmetic::Filter* filter,
                                         int32_t top, int32_t left, int32_t channel) {
  typename Arithmetic::Accumulator acc = 0;
  for (int32_t fy = 0; fy < w.filter_h; ++fy) {
    const int32_t y = top + fy * w.dilation_h;
    if (y < 0 || y >= w.input_h) continue;
    for (int32_t fx = 0; fx < w.filter_w; ++fx) {
      const int32_t x = left + fx * w.dilation_w;
      if (x < 0 || x >= w.input_w) continue;
      const Element value = image[(int64_t{y} * w.input_w + x) * w.input_depth + channel];
      const typename Arithmetic::Filter weight = filter[(int64_t{fy} * w.filter_w + fx) * w.output_depth];
      acc = Arithmetic::Add(acc, arithmetic.Product(value, weight));
    }
  }
  return acc;
}

}  // namespace

template <class Arithmetic>
void DepthwiseConv2D(const Window2D& w, const Arithmetic& arithmetic,
                     const typename Arithmetic::Element* input, const typename Arithmetic::Filter* filter,
                     const typename Arithmetic::Bias* bias, typename Arithmetic::Result* output) {
  const int32_t multiplier = w.output_depth / w.input_depth;
  for (int32_t n = 0; n < w.batch; ++n, input += int64_t{w.input_h} * w.input_w * w.input_depth) {
    for (int32_t y = 0; y < w.output_h; ++y) {
      const int32_t top = y * w.stride_h - w.pad_top;
      for (int32_t x = 0; x < w.output_w; ++x) {
        const int32_t left = x * w.stride_w - w.pad_left;
        for (int32_t o = 0; o < w.output_depth; ++o) {
          auto acc = SumTaps(w, arithmetic, input, filter + o, top, left, o / multiplier);
          if (bias != nullptr) acc = Arithmetic::Add(acc, static_cast<decltype(acc)>(bias[o]));
          *output++ = arithmetic.Output(acc, o);
        }
      }
    }
  }
}

template void DepthwiseConv2D(const Window2D&, const FloatArithmetic&, const float*, const float*,
                              const float*, float*);
template void DepthwiseConv2D(const Window2D&, const HybridArithmetic&, const int8_t*, const int8_t*,
                              const float*, float*);
template void DepthwiseConv2D(const Window2D&, const FixedPointArithmetic<uint8_t>&, const uint8_t*,
                              const uint8_t*, const int32_t*, uint8_t*);
template void DepthwiseConv2D(const Window2D&, const ChannelFixedPointArithmetic<int8_t>&, const int8_t*,
                              const int8_t*, const int32_t*, int8_t*);
template void DepthwiseConv2D(const Window2D&, const ChannelFixedPointArithmetic<int16_t, int8_t, int64_t>&,
                              const int16_t*, const int8_t*, const int64_t*, int16_t*);

}  // namespace qat::reference
