#include "runtime/kernels/simd/conv_2d.h"

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

Conv2D PrepareConv2D(const Instructions& instructions, const Window2D& window,
                     std::span<const uint8_t> filter, std::span<const int32_t> bias, const Operands& operands,
                     const Requantization& requantization) {
  const PatchLayout layout(window, 0);
  return {window, layout,
          PackedFilter(instructions, SegmentsOf(window, layout), filter, window.output_depth, bias, operands,
                       requantization)};
}

size_t ScratchSize(const Conv2D& conv) {
  if (ReadsInPlace(conv)) return 0;
  return static_cast<size_t>(conv.layout.ImageElements(conv.window) * conv.filter.element_size());
}

void Run(const Conv2D& conv, const uint8_t* input, uint8_t* output, uint8_t* scratch, ThreadPool* pool) {
  const Window2D& w = conv.window;
  const int64_t pixel = w.input_depth * conv.filter.element_size();
  const bool in_place = ReadsInPlace(conv);
  Product product = conv.filter.AsProduct();
  const int64_t rows = int64_t{w.output_h} * w.output_w;
  product.width = w.output_w;
  product.step_x = w.stride_w * pixel;
  product.step_y = w.stride_h * conv.layout.padded_w * pixel;
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
