#include "runtime/kernels/reference/conv_2d.h"

namespace qat::reference {
namespace {

// The sum over one window; `image` is one image from the first channel of the group on, `filter` the taps of
// one output channel.
template <class Arithmetic>
typename Arithmetic::Accumulator SumWindow(const Window2D& w, const Arithmetic& arithmetic,
                                           const typename Arithmetic::Element* image,
                                           const typename Arithmetic::Filter* filter, int32_t top,
                                           int32_t left) {
  const int32_t depth = w.input_depth / w.groups;
  typename Arithmetic::Accumulator acc = 0;
  for (int32_t filter_y = 0; filter_y < w.filter_h; ++filter_y) {
    const int32_t y = top + filter_y * w.dilation_h;
    for (int32_t filter_x = 0; filter_x < w.filter_w; ++filter_x) {
      const int32_t x = left + filter_x * w.dilation_w;
      if (y < 0 || y >= w.input_h || x < 0 || x >= w.input_w) continue;
      const auto* pixel = image + (int64_t{y} * w.input_w + x) * w.input_depth;
      const auto* tap = filter + (int64_t{filter_y} * w.filter_w + filter_x) * depth;
      for (int32_t c = 0; c < depth; ++c) {
        acc = Arithmetic::Add(acc, arithmetic.Product(pixel[c], tap[c]));
      }
    }
  }
  return acc;
}

}  // namespace

template <class Arithmetic>
void Conv2D(const Window2D& w, const Arithmetic& arithmetic, const typename Arithmetic::Element* input,
            const typename Arithmetic::Filter* filter, const typename Arithmetic::Bias* bias,
            typename Arithmetic::Result* output) {
  const int64_t image_size = int64_t{w.input_h} * w.input_w * w.input_depth;
  const int32_t depth = w.input_depth / w.groups;
  const int32_t group_filters = w.output_depth / w.groups;
  const int64_t filter_size = int64_t{w.filter_h} * w.filter_w * depth;
  for (int32_t n = 0; n < w.batch; ++n) {
    for (int32_t y = 0; y < w.output_h; ++y) {
      for (int32_t x = 0; x < w.output_w; ++x) {
        const int32_t top = y * w.stride_h - w.pad_top;
        const int32_t left = x * w.stride_w - w.pad_left;
        for (int32_t o = 0; o < w.output_depth; ++o) {
          const auto* group = input + n * image_size + int64_t{o / group_filters} * depth;
          auto acc = SumWindow(w, arithmetic, group, filter + o * filter_size, top, left);
          if (bias != nullptr) acc = Arithmetic::Add(acc, static_cast<decltype(acc)>(bias[o]));
          *output++ = arithmetic.Output(acc, o);
        }
      }
    }
  }
}

template void Conv2D(const Window2D&, const FloatArithmetic&, const float*, const float*, const float*,
                     float*);
template void Conv2D(const Window2D&, const HybridArithmetic&, const int8_t*, const int8_t*, const float*,
                     float*);
template void Conv2D(const Window2D&, const FixedPointArithmetic<uint8_t>&, const uint8_t*, const uint8_t*,
                     const int32_t*, uint8_t*);
template void Conv2D(const Window2D&, const ChannelFixedPointArithmetic<int8_t>&, const int8_t*,
                     const int8_t*, const int32_t*, int8_t*);
template void Conv2D(const Window2D&, const ChannelFixedPointArithmetic<int16_t, int8_t, int32_t>&,
                     const int16_t*, const int8_t*, const int32_t*, int16_t*);
template void Conv2D(const Window2D&, const ChannelFixedPointArithmetic<int16_t, int8_t, int64_t>&,
                     const int16_t*, const int8_t*, const int64_t*, int16_t*);

}  // namespace qat::reference
