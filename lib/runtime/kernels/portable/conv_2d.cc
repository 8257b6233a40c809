#include "runtime/kernels/portable/conv_2d.h"

#include <algorithm>

namespace qat::portable {
namespace {

int64_t AccDepth(const Window2D& w) { return int64_t{w.filter_h} * w.filter_w * w.input_depth; }
int64_t ImageSize(const Window2D& w) { return int64_t{w.input_h} * w.input_w * w.input_depth; }
int64_t OutputSize(const Window2D& w) { return int64_t{w.output_h} * w.output_w * w.output_depth; }

}  // namespace

bool CanConv2D(const Window2D& window) {
  return AccDepth(window) <= kLargestInt16Depth && PatchLayout(window, 0).Fits(window);
}

template <class T>
ConvInt16 PrepareConv2D(const Window2D& window, const T* filter, int32_t filter_offset) {
  const int64_t depth = AccDepth(window);
  const auto size = static_cast<size_t>(window.output_depth * depth);
  ConvInt16 conv{window, {}, PackInt16(std::span(filter, size), window.output_depth, depth, filter_offset)};
  conv.layout = PatchLayout(window, conv.filter.row_size);
  return conv;
}

ConvFloat PrepareConv2D(const Window2D& window, const float* filter) {
  const int64_t depth = AccDepth(window);
  const auto size = static_cast<size_t>(window.output_depth * depth);
  return {window, PatchLayout(window, depth), PackFloat({filter, size}, window.output_depth, depth)};
}

size_t ScratchSize(const ConvInt16& conv) {
  return static_cast<size_t>(conv.layout.Elements(conv.window)) * sizeof(int16_t);
}

size_t ScratchSize(const ConvFloat& conv) {
  return static_cast<size_t>(conv.layout.Elements(conv.window)) * sizeof(float);
}

template <class Arithmetic>
void Conv2D(const ConvInt16& conv, const Arithmetic& arithmetic, const typename Arithmetic::Element* input,
            const int32_t* bias, typename Arithmetic::Element* output, uint8_t* scratch) {
  const Window2D& w = conv.window;
  const int32_t offset = arithmetic.input_offset;
  const auto convert = [offset](const auto* from, int16_t* to, int64_t count) {
    for (int64_t i = 0; i < count; ++i) to[i] = static_cast<int16_t>(from[i] + offset);
  };
  for (int32_t n = 0; n < w.batch; ++n, input += ImageSize(w), output += OutputSize(w)) {
    ForEachPatchBlock(w, conv.layout, input, reinterpret_cast<int16_t*>(scratch), convert,
                      [&](int64_t rows, const int16_t* patches, int64_t first) {
                        MultiplyInt16(rows, patches, conv.filter, arithmetic, bias,
                                      output + first * w.output_depth);
                      });
  }
}

template ConvInt16 PrepareConv2D(const Window2D&, const uint8_t*, int32_t);
template ConvInt16 PrepareConv2D(const Window2D&, const int8_t*, int32_t);
template void Conv2D(const ConvInt16&, const FixedPointArithmetic<uint8_t>&, const uint8_t*, const int32_t*,
                     uint8_t*, uint8_t*);
template void Conv2D(const ConvInt16&, const ChannelFixedPointArithmetic<int8_t>&, const int8_t*,
                     const int32_t*, int8_t*, uint8_t*);

void Conv2D(const ConvFloat& conv, const FloatArithmetic& arithmetic, const float* input, const float* bias,
            float* output, uint8_t* scratch) {
  const Window2D& w = conv.window;
  const auto copy = [](const float* from, float* to, int64_t count) { std::copy_n(from, count, to); };
  for (int32_t n = 0; n < w.batch; ++n, input += ImageSize(w), output += OutputSize(w)) {
    ForEachPatchBlock(w, conv.layout, input, reinterpret_cast<float*>(scratch), copy,
                      [&](int64_t rows, const float* patches, int64_t first) {
                        MultiplyFloat(rows, patches, conv.filter, arithmetic, bias,
                                      output + first * w.output_depth);
                      });
  }
}

}  // namespace qat::portable
