#include "runtime/kernels/portable/transpose_conv.h"

#include <algorithm>

namespace qat::portable {
namespace {

// sums[o] += x * weights[o], in one loop that the compiler vectorizes.
void AddProducts(int64_t units, float x, const float* weights, float* sums) {
  for (int64_t o = 0; o < units; ++o) sums[o] += x * weights[o];
}
void AddProducts(int64_t units, int16_t x, const int16_t* weights, int64_t* sums) {
  for (int64_t o = 0; o < units; ++o) sums[o] += int32_t{x} * int32_t{weights[o]};
}
void AddProducts(int64_t units, int16_t x, const int16_t* weights, int32_t* sums) {
  auto* const wrapping = reinterpret_cast<uint32_t*>(sums);
  for (int64_t o = 0; o < units; ++o) wrapping[o] += static_cast<uint32_t>(int32_t{x} * int32_t{weights[o]});
}

float OperandOf(const FloatArithmetic&, float x) { return x; }
template <class T, class F, class Sum>
int16_t OperandOf(const QuantizedArithmetic<T, F, Sum>& arithmetic, T x) {
  return static_cast<int16_t>(x + arithmetic.input_offset);
}
float WeightOf(const FloatArithmetic&, float w) { return w; }
template <class T, class F, class Sum>
int16_t WeightOf(const QuantizedArithmetic<T, F, Sum>& arithmetic, F w) {
  return static_cast<int16_t>(w + arithmetic.filter_offset);
}

// Taps of one axis that fall inside the output where the window begins at `first`.
struct Inside {
  int32_t begin, end;
  Inside(int32_t first, int32_t taps, int32_t size)
      : begin(std::max(0, -first)), end(std::min(taps, size - first)) {}
};

}  // namespace

template <class Arithmetic, class Element>
TransposeConvFilterOf<Element> PackTransposeConv(const Window2D& w, const Arithmetic& arithmetic,
                                                 std::span<const typename Arithmetic::Filter> filter) {
  TransposeConvFilterOf<Element> packed{w, {}};
  packed.values.resize(filter.size());
  const auto units = static_cast<size_t>(w.output_depth);
  const size_t unit_size = filter.size() / units;
  for (size_t i = 0; i < filter.size(); ++i)
    packed.values[i % unit_size * units + i / unit_size] = WeightOf(arithmetic, filter[i]);
  return packed;
}

template <class Arithmetic, class Element>
void TransposeConv(const TransposeConvFilterOf<Element>& filter, const Arithmetic& arithmetic,
                   const Element* input, const typename Arithmetic::Bias* bias, Element* output,
                   typename Arithmetic::Accumulator* sums) {
  const Window2D& w = filter.window;
  const int64_t units = w.output_depth, tap_size = w.input_depth * units;
  const int64_t size = int64_t{w.output_h} * w.output_w * units;
  const auto add_pixel = [&](const Element* pixel, int32_t top, int32_t left) {
    const Inside rows(top, w.filter_h, w.output_h), columns(left, w.filter_w, w.output_w);
    for (int32_t fy = rows.begin; fy < rows.end; ++fy) {
      for (int32_t fx = columns.begin; fx < columns.end; ++fx) {
        const auto* const tap = filter.values.data() + (int64_t{fy} * w.filter_w + fx) * tap_size;
        auto* const sum = sums + (int64_t{top + fy} * w.output_w + left + fx) * units;
        for (int64_t i = 0; i < w.input_depth; ++i)
          AddProducts(units, OperandOf(arithmetic, pixel[i]), tap + i * units, sum);
      }
    }
  };
  for (int32_t n = 0; n < w.batch; ++n, output += size) {
    std::fill_n(sums, size, typename Arithmetic::Accumulator{0});
    for (int32_t y = 0; y < w.input_h; ++y) {
      for (int32_t x = 0; x < w.input_w; ++x, input += w.input_depth)
        add_pixel(input, y * w.stride_h - w.pad_top, x * w.stride_w - w.pad_left);
    }
    for (int64_t first = 0; first < size; first += units) {
      for (int64_t o = 0; o < units; ++o) {
        const auto sum = sums[first + o];
        output[first + o] = arithmetic.Output(bias == nullptr ? sum : Arithmetic::Add(sum, bias[o]), o);
      }
    }
  }
}

template TransposeConvFilterOf<float> PackTransposeConv(const Window2D&, const FloatArithmetic&,
                                                        std::span<const float>);
template TransposeConvFilterOf<uint8_t> PackTransposeConv(const Window2D&,
                                                          const FixedPointArithmetic<uint8_t>&,
                                                          std::span<const uint8_t>);
template TransposeConvFilterOf<int8_t> PackTransposeConv(const Window2D&,
                                                         const ChannelFixedPointArithmetic<int8_t>&,
                                                         std::span<const int8_t>);
template void TransposeConv(const TransposeConvFilterOf<float>&, const FloatArithmetic&, const float*,
                            const float*, float*, float*);
template void TransposeConv(const TransposeConvFilterOf<uint8_t>&, const FixedPointArithmetic<uint8_t>&,
                            const uint8_t*, const int32_t*, uint8_t*, int32_t*);
template void TransposeConv(const TransposeConvFilterOf<int8_t>&, const ChannelFixedPointArithmetic<int8_t>&,
                            const int8_t*, const int32_t*, int8_t*, int32_t*);
template TransposeConvFilterOf<int16_t> PackTransposeConv(
    const Window2D&, const ChannelFixedPointArithmetic<int16_t, int8_t, int32_t>&, std::span<const int8_t>);
template TransposeConvFilterOf<int16_t> PackTransposeConv(
    const Window2D&, const ChannelFixedPointArithmetic<int16_t, int8_t, int64_t>&, std::span<const int8_t>);
template void TransposeConv(const TransposeConvFilterOf<int16_t>&,
                            const ChannelFixedPointArithmetic<int16_t, int8_t, int32_t>&, const int16_t*,
                            const int32_t*, int16_t*, int32_t*);
template void TransposeConv(const TransposeConvFilterOf<int16_t>&,
                            const ChannelFixedPointArithmetic<int16_t, int8_t, int64_t>&, const int16_t*,
                            const int64_t*, int16_t*, int64_t*);

}  // namespace qat::portable
