#include "runtime/kernels/simd/float_depthwise_conv_2d.h"

#include <algorithm>
#include <numeric>

namespace qat::simd {
FloatDepthwiseConv2D::FloatDepthwiseConv2D(const Instructions& instructions, const Window2D& window,
                                           std::span<const float> filter)
    : instructions_(window.input_depth <= instructions.narrow.lanes && window.stride_w > 1
                        ? &instructions.narrow
                        : &instructions.wide),
      window_(window),
      period_(window.stride_w == 1 ? std::lcm(int64_t{window.input_depth}, instructions_->lanes)
                                   : window.input_depth),
      padded_lanes_((period_ + instructions_->lanes - 1) / instructions_->lanes * instructions_->lanes),
      filter_(static_cast<size_t>(window.filter_h * window.filter_w * padded_lanes()) * sizeof(float)) {
  auto* const values = reinterpret_cast<float*>(filter_.data());
  for (int64_t tap = 0; tap < window.filter_h * window.filter_w; ++tap) {
    for (int64_t lane = 0; lane < period_; ++lane)
      values[tap * padded_lanes() + lane] =
          filter[static_cast<size_t>(tap * window.input_depth + lane % window.input_depth)];
  }
}

// The offsets of the taps for each thread, then the bias over all lanes.
size_t FloatDepthwiseConv2D::ScratchSize(int threads) const {
  return static_cast<size_t>(padded_lanes()) * sizeof(float) +
         static_cast<size_t>(threads * window_taps()) * 2 * sizeof(int64_t);
}

// Taps of the output pixel (y, x) that are inside the image, relative to the corner of its window, which may
// be outside.
int64_t FloatDepthwiseConv2D::TapsInside(int64_t y, int64_t x, int64_t* input_offsets,
                                         int64_t* filter_offsets) const {
  const Window2D& w = window_;
  const int64_t top = y * w.stride_h - w.pad_top, left = x * w.stride_w - w.pad_left;
  int64_t taps = 0;
  for (int64_t i = 0; i < w.filter_h; ++i) {
    const int64_t row = top + i * w.dilation_h;
    if (row < 0 || row >= w.input_h) continue;
    for (int64_t j = 0; j < w.filter_w; ++j) {
      const int64_t column = left + j * w.dilation_w;
      if (column < 0 || column >= w.input_w) continue;
      input_offsets[taps] = (row * w.input_w + column) * w.input_depth;
      filter_offsets[taps++] = (i * w.filter_w + j) * padded_lanes();
    }
  }
  return taps;
}

// Pixels whose window is inside in one run, the others one by one.
void FloatDepthwiseConv2D::RunRow(FloatDepthwiseRun run, int64_t y, int64_t* offsets) const {
  const Window2D& w = window_;
  int64_t* const filter_offsets = offsets + window_taps();
  run.input_offsets = offsets;
  run.filter_offsets = filter_offsets;
  const ColumnRange inside = ColumnsInside(w);
  for (int64_t x = 0; x < w.output_w;) {
    const int64_t pixels = x == inside.begin && inside.begin < inside.end ? inside.end - x : 1;
    run.taps = TapsInside(y, x, offsets, filter_offsets);
    run.size = pixels * w.input_depth;
    instructions_->depthwise(run);
    run.output += run.size;
    x += pixels;
  }
}

void FloatDepthwiseConv2D::Run(const FloatArithmetic& arithmetic, const float* input, const float* bias,
                               float* output, uint8_t* scratch, ThreadPool* pool) const {
  const Window2D& w = window_;
  const int64_t depth = w.input_depth;
  auto* const offsets = reinterpret_cast<int64_t*>(scratch);
  auto* const padded_bias =
      reinterpret_cast<float*>(offsets + (pool == nullptr ? 1 : pool->threads()) * window_taps() * 2);
  for (int64_t lane = 0; lane < padded_lanes(); ++lane)
    padded_bias[lane] = bias == nullptr || lane >= period_ ? 0.0f : bias[lane % depth];
  FloatDepthwiseRun all = {};
  all.filter = reinterpret_cast<const float*>(filter_.data());
  all.bias = padded_bias;
  all.period = period_;
  all.input_step = period_ * w.stride_w;
  all.output_step = period_;
  all.blocks = padded_lanes() / instructions_->lanes;
  all.activation_min = arithmetic.activation_min;
  all.activation_max = arithmetic.activation_max;
  const int64_t rows = int64_t{w.batch} * w.output_h, row_size = w.output_w * depth;
  ForRuns(pool, kWorkOfADepthwiseTap * rows * row_size * window_taps(), rows, 1,
          [&](int64_t begin, int64_t end, int thread) {
            FloatDepthwiseRun run = all;
            for (int64_t y = begin; y < end; ++y) {
              run.input = input + y / w.output_h * (int64_t{w.input_h} * w.input_w * depth);
              run.output = output + y * row_size;
              RunRow(run, y % w.output_h, offsets + thread * window_taps() * 2);
            }
          });
}

}  // namespace qat::simd
