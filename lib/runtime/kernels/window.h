// window.h: sizes of a convolution or a pool over [N, H, W, C], padding resolved.
#ifndef QAT_RUNTIME_KERNELS_WINDOW_H_
#define QAT_RUNTIME_KERNELS_WINDOW_H_

#include <cstdint>

#include "base/shape.h"
#include "ops/attributes.h"

namespace qat {

struct Window2D {
  int32_t batch = 0;
  int32_t input_h = 0;
  int32_t input_w = 0;
  int32_t input_depth = 0;
  int32_t output_h = 0;
  int32_t output_w = 0;
  int32_t output_depth = 0;
  int32_t filter_h = 0;
  int32_t filter_w = 0;
  int32_t stride_h = 1;
  int32_t stride_w = 1;
  int32_t dilation_h = 1;
  int32_t dilation_w = 1;
  int32_t pad_top = 0;
  int32_t pad_left = 0;
  int32_t groups = 1;  ///< of a convolution: each reads input_depth / groups channels
};

/// Rows [begin, end) of the output of one image as a window of their own: they lie at begin * output_w * output_depth, and
/// read the same image. For loops that look for the edge of the image at every tap.
inline Window2D RowsOf(Window2D window, int64_t begin, int64_t end) {
  window.batch = 1;
  window.output_h = static_cast<int32_t>(end - begin);
  window.pad_top -= static_cast<int32_t>(begin) * window.stride_h;
  return window;
}

/// Geometry of a convolution: filter is [O, H, W, I]. Requires shapes that OpDefinition::infer_shape
/// accepted; it bounds all sizes so that positions fit into int32.
Window2D ConvolutionWindow(const Conv2DAttributes& attributes, const Shape& input, const Shape& filter,
                           const Shape& output);

/// Geometry of a depthwise convolution: filter is [1, H, W, O]. The same requirement.
Window2D DepthwiseWindow(const DepthwiseConv2DAttributes& attributes, const Shape& input, const Shape& filter,
                         const Shape& output);

/// Geometry of a pool. The same requirement.
Window2D PoolWindow(const Pool2DAttributes& attributes, const Shape& input, const Shape& output);

}  // namespace qat

#endif  // QAT_RUNTIME_KERNELS_WINDOW_H_
