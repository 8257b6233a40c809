#include "runtime/kernels/simd/depthwise_conv_2d.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "runtime/kernels/portable/patches.h"

namespace qat::simd {
namespace {

constexpr int64_t kElement = 4;  // bytes of an interleaved element
constexpr int64_t kSlack = 64;   // elements beyond the end of a buffer that the kernels touch

int64_t RoundUp(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

// Without a stride the columns of a row are contiguous, and channels repeat only where a multiple of them
// fills vectors.
int64_t PeriodOf(const Window2D& w, int64_t lanes) {
  return w.stride_w == 1 ? std::lcm(int64_t{w.input_depth}, lanes) : w.input_depth;
}

// Rows of the output that are one row of the input apart share what is interleaved, if that is a row more
// than the filter.
bool MakesTwoRows(const Window2D& w, int64_t interleaved_rows) {
  return w.stride_h == 1 && w.dilation_h == 1 && w.output_h > 1 && w.filter_h < interleaved_rows;
}

// Largest magnitude of each channel's accumulator.
std::vector<int64_t> Bounds(std::span<const uint8_t> filter, size_t channels, std::span<const int32_t> bias,
                            const Operands& operands) {
  std::vector<int64_t> bounds(channels);
  for (size_t i = 0; i < filter.size(); ++i)
    bounds[i % channels] += std::abs(operands.FilterValue(filter[i])) * operands.InputReach();
  for (size_t c = 0; c < bias.size(); ++c) bounds[c] += std::abs(int64_t{bias[c]});
  return bounds;
}

// A value as a sum of int8: its part `index` of as many as it takes.
int32_t PartOf(int32_t value, int64_t index) {
  const auto before = static_cast<int32_t>(index);
  return value > 0 ? std::clamp(value - 127 * before, 0, 127) : std::clamp(value + 128 * before, -128, 0);
}

int64_t PartsOf(int32_t value) {
  int64_t parts = 1;
  while (PartOf(value, parts) != 0) ++parts;
  return parts;
}

}  // namespace

bool CanDepthwiseConv2D(const Window2D& window) {
  return window.input_depth == window.output_depth && portable::PatchLayout(window, 0).Fits(window);
}

DepthwiseConv2D::DepthwiseConv2D(const Instructions& instructions, const Window2D& window,
                                 std::span<const uint8_t> filter, std::span<const int32_t> bias,
                                 const Operands& operands, const Requantization& requantization)
    : instructions_(&instructions),
      window_(window),
      operands_(operands),
      period_(PeriodOf(window, instructions.lanes)),
      blocks_(RoundUp(period_, instructions.lanes) / instructions.lanes),
      groups_(RoundUp(window.filter_h, instructions.taps()) / instructions.taps()),
      buffer_elements_(portable::PatchLayout(window, 0).padded_w * window.input_depth),
      makes_two_rows_(MakesTwoRows(window, groups_ * instructions.taps())),
      filter_(0),
      next_filter_(0),
      stage_(requantization, operands.is_signed, ChannelsOfLanes(),
             Bounds(filter, static_cast<size_t>(window.input_depth), bias, operands)) {
  PackTaps(filter);
  FoldBias(filter, bias);
}

int64_t DepthwiseConv2D::ChannelOf(int64_t lane) const {
  return lane < period_ ? lane % window_.input_depth : -1;
}

std::vector<int64_t> DepthwiseConv2D::ChannelsOfLanes() const {
  std::vector<int64_t> channels;
  for (int64_t lane = 0; lane < blocks_ * lanes(); ++lane) channels.push_back(ChannelOf(lane));
  return channels;
}

// A tap of a lane is a column of the filter, taps() rows of it at a time. Values that fit no int8 are spread
// over more, in those columns that have such.
void DepthwiseConv2D::PackTaps(std::span<const uint8_t> filter) {
  const Window2D& w = window_;
  int64_t parts = 1;
  if (!instructions_->widens)
    for (const uint8_t byte : filter) parts = std::max(parts, PartsOf(operands_.FilterValue(byte)));
  const int64_t columns = groups_ * w.filter_w;
  std::vector<Tap> taps;
  for (int64_t i = 0; i < columns * parts; ++i) {
    const Tap tap{i % columns, i / columns};
    if (tap.part > 0 && !NeedsPart(filter, tap)) continue;
    const int64_t group = tap.column / w.filter_w, x = tap.column % w.filter_w;
    tap_offsets_.push_back((group * BufferElements() + x * w.dilation_w * w.input_depth) * kElement);
    taps.push_back(tap);
  }
  filter_ = PackFilter(filter, taps, 0);
  if (makes_two_rows_) next_filter_ = PackFilter(filter, taps, 1);
}

// For either row of the output.
bool DepthwiseConv2D::NeedsPart(std::span<const uint8_t> filter, Tap tap) const {
  const int64_t top = tap.column / window_.filter_w * instructions_->taps();
  const int64_t end = std::min<int64_t>(top + instructions_->taps(), window_.filter_h);
  for (int64_t row = std::max<int64_t>(top - (makes_two_rows_ ? 1 : 0), 0); row < end; ++row) {
    const int64_t pixel = row * window_.filter_w + tap.column % window_.filter_w;
    const auto values = filter.subspan(static_cast<size_t>(pixel * window_.input_depth),
                                       static_cast<size_t>(window_.input_depth));
    for (const uint8_t byte : values)
      if (PartOf(operands_.FilterValue(byte), tap.part) != 0) return true;
  }
  return false;
}

// `first` is the row of the interleaved ones that the filter begins in.
AlignedBytes DepthwiseConv2D::PackFilter(std::span<const uint8_t> filter, std::span<const Tap> taps,
                                         int64_t first) const {
  const auto count = static_cast<int64_t>(taps.size());
  AlignedBytes packed(static_cast<size_t>(blocks_ * count * lanes() * kElement));
  for (int64_t lane = 0; lane < blocks_ * lanes(); ++lane) {
    if (ChannelOf(lane) < 0) continue;
    for (int64_t tap = 0; tap < count; ++tap) {
      const int64_t position = (lane / lanes() * count + tap) * lanes() + lane % lanes();
      uint8_t* const to = packed.data() + position * kElement;
      PackTap(filter, ChannelOf(lane), taps[static_cast<size_t>(tap)], first, to);
    }
  }
  return packed;
}

void DepthwiseConv2D::PackTap(std::span<const uint8_t> filter, int64_t channel, Tap tap, int64_t first,
                              uint8_t* to) const {
  const int64_t taps = instructions_->taps(), top = tap.column / window_.filter_w * taps - first;
  for (int64_t k = 0; k < taps && top + k < window_.filter_h; ++k) {
    if (top + k < 0) continue;
    const int64_t pixel = (top + k) * window_.filter_w + tap.column % window_.filter_w;
    const auto value =
        operands_.FilterValue(filter[static_cast<size_t>(pixel * window_.input_depth + channel)]);
    if (instructions_->widens) {
      const auto wide = static_cast<int16_t>(value);
      std::memcpy(to + k * 2, &wide, sizeof(wide));
    } else {
      to[k] = static_cast<uint8_t>(PartOf(value, tap.part));
    }
  }
}

int32_t DepthwiseConv2D::RowZeroPoint() const {
  return operands_.unsigned_input_zero_point() - instructions_->row_shift();
}

// In uint32: sums wrap.
void DepthwiseConv2D::FoldBias(std::span<const uint8_t> filter, std::span<const int32_t> bias) {
  const auto channels = static_cast<size_t>(window_.input_depth);
  std::vector<uint32_t> folded(channels);
  std::copy(bias.begin(), bias.end(), folded.begin());
  const auto zero_point = static_cast<uint32_t>(RowZeroPoint());
  if (!instructions_->widens) {
    for (size_t i = 0; i < filter.size(); ++i)
      folded[i % channels] -= zero_point * static_cast<uint32_t>(operands_.FilterValue(filter[i]));
  }
  for (const int64_t channel : ChannelsOfLanes())
    bias_.push_back(channel < 0 ? 0 : static_cast<int32_t>(folded[static_cast<size_t>(channel)]));
}

// [groups, padded_w, depth] interleaved elements.
int64_t DepthwiseConv2D::BufferSize() const {
  return RoundUp((groups_ * BufferElements() + kSlack) * kElement, 64);
}

// Rows of the output, or pairs of them, that are made at a time: as many as nearby memory holds interleaved
// rows for.
int64_t DepthwiseConv2D::RowsAtATime() const {
  // Bytes that stay in a first-level cache of 32 KiB beside filter and output; rows. Trials with ds_cnn and
  // person_detect, commit 8b22e4e.
  constexpr int64_t kNear = 12288, kMost = 8;
  return std::clamp<int64_t>(kNear / BufferSize(), 1, std::min<int64_t>(kMost, window_.output_h));
}

// Buffers for each thread, then one row of the input's zero points.
size_t DepthwiseConv2D::ScratchSize(int threads) const {
  return static_cast<size_t>(threads * RowsAtATime() * BufferSize() +
                             int64_t{window_.input_w} * window_.input_depth);
}

// Columns left and right of the image: zero points, which are 0 where the instruction set widens.
void DepthwiseConv2D::FillBorders(uint8_t* buffer) const {
  const int64_t depth = window_.input_depth;
  const int value = instructions_->widens ? 0 : RowZeroPoint();
  const int64_t left = window_.pad_left * depth, image = window_.input_w * depth;
  for (int64_t group = 0; group < groups_; ++group, buffer += BufferElements() * kElement) {
    std::memset(buffer, value, static_cast<size_t>(left * kElement));
    std::memset(buffer + (left + image) * kElement, value,
                static_cast<size_t>((BufferElements() - left - image) * kElement));
  }
}

// The rows of the input that output row `y` wants, and the one below it.
void DepthwiseConv2D::InterleaveRow(const uint8_t* image, const uint8_t* outside, int64_t y,
                                    uint8_t* buffer) const {
  const Window2D& w = window_;
  const int64_t row_size = int64_t{w.input_w} * w.input_depth;
  Interleave interleave = {};
  interleave.size = row_size;
  interleave.flip = operands_.flip();
  interleave.zero_point = operands_.unsigned_input_zero_point();
  const int64_t wanted = w.filter_h + (makes_two_rows_ ? 1 : 0);
  for (int64_t group = 0; group < groups_; ++group) {
    for (int64_t k = 0; k < instructions_->taps(); ++k) {
      const int64_t tap = group * instructions_->taps() + k;
      const int64_t row = y * w.stride_h - w.pad_top + tap * w.dilation_h;
      const bool inside = tap < wanted && row >= 0 && row < w.input_h;
      interleave.rows[k] = inside ? image + row * row_size : outside;
    }
    interleave.output = buffer + (group * BufferElements() + w.pad_left * w.input_depth) * kElement;
    instructions_->interleave(interleave);
  }
}

// All of a row but its input and its output.
DepthwiseRow DepthwiseConv2D::AsRow() const {
  DepthwiseRow row = {};
  row.taps = static_cast<int64_t>(tap_offsets_.size());
  row.tap_offsets = tap_offsets_.data();
  row.filter = filter_.data();
  row.bias = bias_.data();
  row.blocks = blocks_;
  row.period = period_;
  row.input_step = period_ * window_.stride_w;
  row.output_step = period_;
  row.stage = stage_.View();
  row.size = int64_t{window_.output_w} * window_.input_depth;
  return row;
}

void DepthwiseConv2D::Run(const uint8_t* input, uint8_t* output, uint8_t* scratch, ThreadPool* pool) const {
  const Window2D& w = window_;
  const int64_t image_size = int64_t{w.input_h} * w.input_w * w.input_depth;
  const DepthwiseRow all = AsRow();
  const int64_t rows = int64_t{w.batch} * w.output_h;
  const int64_t work = kWorkOfADepthwiseTap * rows * all.size * w.filter_h * w.filter_w;
  const int64_t at_a_time = RowsAtATime(), buffers = at_a_time * BufferSize();
  uint8_t* const outside = scratch + (pool == nullptr ? 1 : pool->threads()) * buffers;
  std::memset(outside, operands_.input_zero_point, static_cast<size_t>(w.input_w * w.input_depth));
  // Whole vectors are interleaved, the last of them over a border.
  const bool borders_stay = w.input_w * w.input_depth % kSlack == 0;
  ForRuns(pool, work, rows, makes_two_rows_ ? 2 : 1, [&](int64_t begin, int64_t end, int thread) {
    uint8_t* const buffer = scratch + thread * buffers;
    for (int64_t i = 0; borders_stay && i < at_a_time; ++i) FillBorders(buffer + i * BufferSize());
    DepthwiseRow row = all;
    row.input = buffer;
    row.next_input = BufferSize();
    for (int64_t y = begin; y < end;) {
      // Rows of one image, all in pairs or all alone.
      const int64_t in_image = y % w.output_h, stop = std::min(end, y + w.output_h - in_image);
      const bool two = makes_two_rows_ && y + 1 < stop;
      const int64_t step = two ? 2 : 1;
      row.count = std::min((stop - y) / step, at_a_time);
      for (int64_t i = 0; i < row.count; ++i) {
        uint8_t* const to = buffer + i * BufferSize();
        InterleaveRow(input + y / w.output_h * image_size, outside, in_image + i * step, to);
        if (!borders_stay) FillBorders(to);
      }
      row.output = output + y * row.size;
      row.next_filter = two ? next_filter_.data() : nullptr;
      row.next_output = row.output + row.size;
      row.next_outputs = step * row.size;
      instructions_->depthwise(row);
      y += row.count * step;
    }
  });
}

}  // namespace qat::simd
