#include "runtime/kernels/portable/depthwise_conv_2d.h"

#include <algorithm>
#include <type_traits>

namespace qat::portable {
namespace {

// Sums of one window. Those of int16 have 32 bits until the bias comes: more lanes of a vector.
template <class Arithmetic>
using WindowSum = std::conditional_t<std::is_same_v<typename Arithmetic::Accumulator, float>, float, int32_t>;

float Plus(float sum, float product) { return sum + product; }
int32_t Plus(int32_t sum, int32_t product) { return WrappingAdd(sum, product); }

// sums[c] += product of one tap, in the order of the taps. Integer sums wrap.
template <class Arithmetic>
void AddTap(const Arithmetic& arithmetic, int64_t depth, const typename Arithmetic::Element* pixel,
            const typename Arithmetic::Filter* tap, WindowSum<Arithmetic>* sums) {
  for (int64_t c = 0; c < depth; ++c) sums[c] = Plus(sums[c], arithmetic.Product(pixel[c], tap[c]));
}

template <class Arithmetic>
void SumWindow(const Window2D& w, const Arithmetic& arithmetic, const typename Arithmetic::Element* image,
               const typename Arithmetic::Filter* filter, int64_t top, int64_t left,
               WindowSum<Arithmetic>* sums) {
  const int64_t depth = w.input_depth;
  std::fill_n(sums, depth, WindowSum<Arithmetic>{0});
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

size_t DepthwiseScratchSize(const Window2D& window) {
  return static_cast<size_t>(window.input_depth) * sizeof(int32_t);
}

template <class Arithmetic>
void DepthwiseConv2D(const Window2D& w, const Arithmetic& arithmetic,
                     const typename Arithmetic::Element* input, const typename Arithmetic::Filter* filter,
                     const typename Arithmetic::Bias* bias, typename Arithmetic::Element* output,
                     uint8_t* scratch) {
  using Sum = typename Arithmetic::Accumulator;
  auto* const sums = reinterpret_cast<WindowSum<Arithmetic>*>(scratch);
  const int64_t depth = w.input_depth;
  for (int32_t n = 0; n < w.batch; ++n, input += int64_t{w.input_h} * w.input_w * depth) {
    for (int64_t y = 0; y < w.output_h; ++y) {
      for (int64_t x = 0; x < w.output_w; ++x, output += depth) {
        SumWindow(w, arithmetic, input, filter, y * w.stride_h - w.pad_top, x * w.stride_w - w.pad_left,
                  sums);
        for (int64_t c = 0; c < depth; ++c) {
          const Sum sum = sums[c];
          output[c] = arithmetic.Output(bias == nullptr ? sum : Arithmetic::Add(sum, bias[c]), c);
        }
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
