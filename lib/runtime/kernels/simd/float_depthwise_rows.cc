#include "runtime/kernels/simd/float_depthwise_rows.h"

#include <algorithm>

namespace qat::simd {
namespace {

int64_t Vectors(int64_t depth, int64_t lanes) { return (depth + lanes - 1) / lanes; }

// Narrow registers where they are filled and wide ones would not be, of few channels.
const FloatInstructions& RegistersOf(const Instructions& instructions, int64_t depth) {
  const int64_t wide = instructions.wide.lanes, narrow = instructions.narrow.lanes;
  const bool fills = Vectors(depth, wide) * wide == Vectors(depth, narrow) * narrow;
  return depth < wide || (!fills && depth < 4 * wide) ? instructions.narrow : instructions.wide;
}

}  // namespace

bool FloatDepthwiseRows::Can(const Instructions& instructions, const Window2D& w) {
  return (w.filter_w == 3 || w.filter_w == 5) && w.stride_w <= 2 && w.dilation_w == 1 &&
         w.input_depth >= instructions.narrow.lanes;
}

FloatDepthwiseRows::FloatDepthwiseRows(const Instructions& instructions, const Window2D& window,
                                       std::span<const float> filter)
    : window_(window),
      instructions_(&RegistersOf(instructions, window.input_depth)),
      makes_two_rows_(window.stride_h == 1 && window.dilation_h == 1 && window.filter_h > 1),
      filter_(static_cast<size_t>(Vectors(window.input_depth, instructions_->lanes) * window.filter_h *
                                  window.filter_w * instructions_->lanes) *
              sizeof(float)) {
  const int64_t depth = window.input_depth, lanes = instructions_->lanes;
  const int64_t taps = int64_t{window.filter_h} * window.filter_w;
  auto* to = reinterpret_cast<float*>(filter_.data());
  for (int64_t channel = 0; channel < depth; channel += lanes) {
    const int64_t first = std::min(channel, depth - lanes);
    for (int64_t tap = 0; tap < taps; ++tap) to = std::copy_n(&filter[tap * depth + first], lanes, to);
  }
}

// The bias.
size_t FloatDepthwiseRows::ScratchSize() const {
  return static_cast<size_t>(window_.input_depth) * sizeof(float);
}

FloatDepthwiseRow FloatDepthwiseRows::AsRow(const FloatArithmetic& arithmetic, const float* bias) const {
  const Window2D& w = window_;
  FloatDepthwiseRow row = {};
  row.row_step = int64_t{w.dilation_h} * w.input_w * w.input_depth;
  row.input_width = w.input_w;
  row.depth = w.input_depth;
  row.block_size = int64_t{w.filter_h} * w.filter_w * instructions_->lanes;
  row.width = w.filter_w;
  row.stride = w.stride_w;
  row.pad_left = w.pad_left;
  row.bias = bias;
  row.activation_min = arithmetic.activation_min;
  row.activation_max = arithmetic.activation_max;
  row.pixels = w.output_w;
  const ColumnRange inside = ColumnsInside(w);
  row.inside_begin = inside.begin;
  row.inside_end = inside.end;
  return row;
}

FloatDepthwiseRows::Rows FloatDepthwiseRows::FilterRowsInside(int64_t y) const {
  const int64_t top = y * window_.stride_h - window_.pad_top;
  const auto inside = [&](int64_t i) {
    const int64_t row = top + i * window_.dilation_h;
    return row >= 0 && row < window_.input_h;
  };
  Rows rows = {0, window_.filter_h};
  while (rows.begin < rows.end && !inside(rows.begin)) ++rows.begin;
  while (rows.begin < rows.end && !inside(rows.end - 1)) --rows.end;
  return rows;
}

// True where the windows of rows y and y + 1 overlap inside the image, one row of the input apart.
bool FloatDepthwiseRows::MakesTwoRows(int64_t y) const {
  if (!makes_two_rows_ || y + 1 >= window_.output_h) return false;
  const Rows rows = FilterRowsInside(y), next = FilterRowsInside(y + 1);
  const int64_t shared_begin = std::max(rows.begin, next.begin + 1),
                shared_end = std::min(rows.end, next.end + 1);
  return shared_begin < shared_end;
}

// `row` points at the image and at what it makes. Of two rows, the second sees those of the input one further
// down.
void FloatDepthwiseRows::RunRow(FloatDepthwiseRow row, int64_t y, bool two) const {
  const Window2D& w = window_;
  const int64_t filter_row = w.filter_w * instructions_->lanes;
  const auto* const filter = reinterpret_cast<const float*>(filter_.data());
  const Rows rows = FilterRowsInside(y);
  const int64_t first = y * w.stride_h - w.pad_top + rows.begin * w.dilation_h;
  row.input += first * w.input_w * w.input_depth;
  row.filter = filter + rows.begin * filter_row;
  row.rows = rows.end - rows.begin;
  if (two) {
    const Rows next = FilterRowsInside(y + 1);
    row.next_begin = next.begin + 1 - rows.begin;
    row.next_end = next.end + 1 - rows.begin;
    row.next_filter = filter + next.begin * filter_row;
    row.next_output = row.output + w.output_w * int64_t{w.input_depth};
  }
  instructions_->depthwise_row(row);
}

void FloatDepthwiseRows::Run(const FloatArithmetic& arithmetic, const float* input, const float* bias,
                             float* output, uint8_t* scratch, ThreadPool* pool) const {
  const Window2D& w = window_;
  const int64_t depth = w.input_depth;
  auto* const all_bias = reinterpret_cast<float*>(scratch);
  std::fill_n(all_bias, depth, 0.0f);
  if (bias != nullptr) std::copy_n(bias, depth, all_bias);
  const FloatDepthwiseRow any = AsRow(arithmetic, all_bias);
  const int64_t rows = int64_t{w.batch} * w.output_h, row_size = w.output_w * depth;
  const int64_t work = kWorkOfADepthwiseTap * rows * row_size * w.filter_h * w.filter_w;
  ForRuns(pool, work, rows, makes_two_rows_ ? 2 : 1, [&](int64_t begin, int64_t end, int) {
    FloatDepthwiseRow row = any;
    for (int64_t y = begin; y < end;) {
      row.input = input + y / w.output_h * (int64_t{w.input_h} * w.input_w * depth);
      row.output = output + y * row_size;
      const bool two = MakesTwoRows(y % w.output_h) && y + 1 < end;
      RunRow(row, y % w.output_h, two);
      y += two ? 2 : 1;
    }
  });
}

}  // namespace qat::simd
