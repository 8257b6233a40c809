#include "runtime/kernels/window.h"

#include <algorithm>

#include "ops/padding.h"

namespace qat {
namespace {

Window2D ImagesOf(const Shape& input, const Shape& output) {
  Window2D window;
  window.batch = input[0];
  window.input_h = input[1];
  window.input_w = input[2];
  window.input_depth = input[3];
  window.output_h = output[1];
  window.output_w = output[2];
  window.output_depth = output[3];
  return window;
}

void ResolvePadding(Padding padding, Window2D& window) {
  window.pad_top =
      ComputeWindow(padding, window.input_h, window.filter_h, window.stride_h, window.dilation_h).before;
  window.pad_left =
      ComputeWindow(padding, window.input_w, window.filter_w, window.stride_w, window.dilation_w).before;
}

template <class Attributes>
Window2D DilatedWindow(const Attributes& attributes, const Shape& input, const Shape& filter,
                       const Shape& output) {
  Window2D window = ImagesOf(input, output);
  window.filter_h = filter[1];
  window.filter_w = filter[2];
  window.stride_h = attributes.stride_h;
  window.stride_w = attributes.stride_w;
  window.dilation_h = attributes.dilation_h;
  window.dilation_w = attributes.dilation_w;
  ResolvePadding(attributes.padding, window);
  return window;
}

}  // namespace

ColumnRange ColumnsInside(const Window2D& w) {
  const int32_t begin = std::min(w.output_w, (w.pad_left + w.stride_w - 1) / w.stride_w);
  // The last window's corner, before padding is taken off.
  const int32_t last = w.input_w - (w.filter_w - 1) * w.dilation_w - 1 + w.pad_left;
  const int32_t end = last < 0 ? 0 : std::min(w.output_w, last / w.stride_w + 1);
  return {begin, std::max(begin, end)};
}

Window2D ConvolutionWindow(const Conv2DAttributes& attributes, const Shape& input, const Shape& filter,
                           const Shape& output) {
  Window2D window = DilatedWindow(attributes, input, filter, output);
  window.groups = input[3] / filter[3];
  return window;
}

Window2D DepthwiseWindow(const DepthwiseConv2DAttributes& attributes, const Shape& input, const Shape& filter,
                         const Shape& output) {
  return DilatedWindow(attributes, input, filter, output);
}

Window2D PoolWindow(const Pool2DAttributes& attributes, const Shape& input, const Shape& output) {
  Window2D window = ImagesOf(input, output);
  window.filter_h = attributes.filter_h;
  window.filter_w = attributes.filter_w;
  window.stride_h = attributes.stride_h;
  window.stride_w = attributes.stride_w;
  ResolvePadding(attributes.padding, window);
  return window;
}

}  // namespace qat
