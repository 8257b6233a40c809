#include "runtime/kernels/simd/conv_2d.h"

#include <utility>

namespace qat::simd {
namespace {

using portable::PatchLayout;

bool ReadsInPlace(const Conv2D& conv) {
  return conv.filter.ReadsInPlace() && conv.layout.padded_w == conv.window.input_w &&
         conv.layout.padded_h == conv.window.input_h;
}

// The image in its border of zero points.
void Pad(const Conv2D& conv, const uint8_t* image, uint8_t* padded) {
  const auto convert = [&](const uint8_t* from, auto* to, int64_t count) {
    conv.filter.ConvertInput(from, reinterpret_cast<uint8_t*>(to), count);
  };
  if (conv.filter.widens()) {
    PadImage(conv.window, conv.layout, image, reinterpret_cast<int16_t*>(padded), convert);
  } else {
    PadImage(conv.window, conv.layout, image, padded, convert, conv.filter.InputZeroPoint());
  }
}

}  // namespace

bool CanConv2D(const Window2D& window) { return PatchLayout(window, 0).Fits(window); }

Conv2D PrepareConv2D(const Instructions& instructions, const Window2D& window, const ConvWeights& weights,
                     const PoolWindows* pool) {
  const PoolWindows windows = pool != nullptr ? *pool : PoolWindows{1, 1, window.output_h, window.output_w};
  const PatchLayout layout(window, 0);
  Conv2D conv{window, layout,
              PackedFilter(instructions, SegmentsOf(window, layout), weights.filter, window.output_depth,
                           weights.bias, weights.operands, weights.requantization),
              windows};
  return pool == nullptr || conv.filter.CanPool() ? std::move(conv)
                                                  : PrepareConv2D(instructions, window, weights, nullptr);
}

size_t ScratchSize(const Conv2D& conv) {
  if (ReadsInPlace(conv)) return 0;
  return static_cast<size_t>(conv.layout.ImageElements(conv.window) * conv.filter.element_size());
}

void Run(const Conv2D& conv, const uint8_t* input, uint8_t* output, uint8_t* scratch, ThreadPool* pool) {
  const Window2D& w = conv.window;
  const int64_t pixel = w.input_depth * conv.filter.element_size();
  const bool in_place = ReadsInPlace(conv);
  const int64_t step_x = w.stride_w * pixel, step_y = w.stride_h * conv.layout.padded_w * pixel;
  Product product = conv.filter.AsProduct();
  const int64_t rows = int64_t{conv.pool.output_h} * conv.pool.output_w;
  product.width = conv.pool.output_w;
  product.step_x = conv.pool.filter_w * step_x;
  product.step_y = conv.pool.filter_h * step_y;
  product.pool_taps = 0;
  for (int32_t y = 0; y < conv.pool.filter_h; ++y) {
    for (int32_t x = 0; x < conv.pool.filter_w; ++x)
      product.pool_offsets[product.pool_taps++] = y * step_y + x * step_x;
  }
  for (int32_t n = 0; n < w.batch; ++n) {
    if (!in_place) Pad(conv, input, scratch);
    product.input = in_place ? input : scratch;
    product.output = output;
    conv.filter.Multiply(product, rows, pool);
    input += int64_t{w.input_h} * w.input_w * w.input_depth;
    output += rows * w.output_depth;
  }
}

}  // namespace qat::simd
