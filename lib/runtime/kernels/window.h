// window.h: sizes of a convolution or a pool over [N, H, W, C], padding resolved.
#ifndef QAT_RUNTIME_KERNELS_WINDOW_H_
#define QAT_RUNTIME_KERNELS_WINDOW_H_

#include <cstdint>

#include "base/shape.h"
#include "ops/attributes.h"
#include "runtime/kernels/thread_pool.h"

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

/// Rows [begin, end) of the output of one image as a window of their own: they lie at begin * output_w *
/// output_depth, and read the same image. For loops that look for the edge of the image at every tap.
inline Window2D RowsOf(Window2D window, int64_t begin, int64_t end) {
  window.batch = 1;
  window.output_h = static_cast<int32_t>(end - begin);
  window.pad_top -= static_cast<int32_t>(begin) * window.stride_h;
  return window;
}

/// Calls run(rows, first, thread) for the rows of one image's output over the threads: `rows` is what RowsOf
/// makes of some, whose output begins `first` elements after the image's. `work_of_a_tap` is in
/// multiply-accumulates, as ForRuns counts.
template <class Function>
void ForRowsOf(ThreadPool* pool, const Window2D& w, int64_t work_of_a_tap, const Function& run) {
  const int64_t row_size = int64_t{w.output_w} * w.output_depth;
  const int64_t work = work_of_a_tap * w.output_h * row_size * w.filter_h * w.filter_w;
  ForRuns(pool, work, w.output_h, 1, [&](int64_t begin, int64_t end, int thread) {
    run(RowsOf(w, begin, end), begin * row_size, thread);
  });
}
/// In multiply-accumulates of a product, for ForRuns; an estimate: plain loops use no vectors.
inline constexpr int64_t kWorkOfAReferenceTap = 32;

/// Columns [begin, end) of the output whose windows are inside the image from left to right.
struct ColumnRange {
  int32_t begin, end;
};
ColumnRange ColumnsInside(const Window2D& window);

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
