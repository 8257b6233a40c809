#include "runtime/kernels/simd/pool_2d.h"

#include <algorithm>
#include <type_traits>

namespace qat::simd {
namespace {

// Half away from zero; sums of uint8 are not negative.
template <class T>
T Average(int32_t sum, int32_t count, T low, T high) {
  const int32_t half = sum > 0 ? count / 2 : -(count / 2);
  return static_cast<T>(std::clamp<int32_t>((sum + half) / count, low, high));
}

// Columns that the windows of a row reach.
int64_t PaddedColumns(const Window2D& w) {
  return std::max(int64_t{w.pad_left} + w.input_w, int64_t{w.output_w - 1} * w.stride_w + w.filter_w);
}

}  // namespace

bool CanAveragePool2D(const Window2D& window) { return int64_t{window.filter_h} * window.filter_w < 1 << 22; }

size_t AveragePoolScratchSize(const Window2D& window) {
  return static_cast<size_t>(window.input_depth) * sizeof(int32_t);
}

template <class T>
void AveragePool2D(const Instructions& instructions, const Window2D& w, T activation_min, T activation_max,
                   const T* input, T* output, uint8_t* scratch) {
  const int64_t depth = w.input_depth;
  auto* const sums = reinterpret_cast<int32_t*>(scratch);
  constexpr uint8_t kFlip = std::is_signed_v<T> ? 0x80 : 0;
  for (int32_t n = 0; n < w.batch; ++n, input += int64_t{w.input_h} * w.input_w * depth) {
    for (int32_t y = 0; y < w.output_h; ++y) {
      const int32_t top = std::max(y * w.stride_h - w.pad_top, 0);
      const int32_t bottom = std::min(y * w.stride_h - w.pad_top + w.filter_h, w.input_h);
      for (int32_t x = 0; x < w.output_w; ++x, output += depth) {
        const int32_t left = std::max(x * w.stride_w - w.pad_left, 0);
        const int32_t right = std::min(x * w.stride_w - w.pad_left + w.filter_w, w.input_w);
        const int32_t count = (bottom - top) * (right - left);
        std::fill_n(sums, depth, -(kFlip * count));
        for (int32_t row = top; row < bottom; ++row) {
          const auto* tap =
              reinterpret_cast<const uint8_t*>(input) + (int64_t{row} * w.input_w + left) * depth;
          instructions.sum_rows({tap, right - left, depth, depth, kFlip, sums});
        }
        std::transform(sums, sums + depth, output,
                       [=](int32_t sum) { return Average(sum, count, activation_min, activation_max); });
      }
    }
  }
}

template void AveragePool2D(const Instructions&, const Window2D&, uint8_t, uint8_t, const uint8_t*, uint8_t*,
                            uint8_t*);
template void AveragePool2D(const Instructions&, const Window2D&, int8_t, int8_t, const int8_t*, int8_t*,
                            uint8_t*);

size_t MaxPoolScratchSize(const Window2D& window) {
  constexpr int64_t kVector = 64;
  return static_cast<size_t>(PaddedColumns(window) * window.input_depth + kVector);
}

template <class T>
void MaxPool2D(const Instructions& instructions, const Window2D& w, T activation_min, T activation_max,
               const T* input, T* output, uint8_t* scratch) {
  constexpr uint8_t kFlip = std::is_signed_v<T> ? 0x80 : 0;
  const int64_t depth = w.input_depth;
  MaxPoolRow row = {};
  row.step = row.size = w.input_w * depth;
  row.flip = kFlip;
  row.columns = scratch;
  row.before = w.pad_left * depth;
  row.padded = PaddedColumns(w) * depth;
  row.depth = depth;
  row.taps = w.filter_w;
  row.pixel_step = w.stride_w * depth;
  row.pixels = w.output_w;
  row.activation_min = static_cast<uint8_t>(activation_min) ^ kFlip;
  row.activation_max = static_cast<uint8_t>(activation_max) ^ kFlip;
  row.output = reinterpret_cast<uint8_t*>(output);
  row.output_end = row.output + int64_t{w.batch} * w.output_h * w.output_w * depth;
  for (int32_t n = 0; n < w.batch; ++n, input += w.input_h * row.size) {
    for (int32_t y = 0; y < w.output_h; ++y, row.output += row.pixels * depth) {
      const int32_t top = std::max(y * w.stride_h - w.pad_top, 0);
      row.rows = reinterpret_cast<const uint8_t*>(input) + top * row.size;
      row.count = std::min(y * w.stride_h - w.pad_top + w.filter_h, w.input_h) - top;
      instructions.max_pool(row);
    }
  }
}

template void MaxPool2D(const Instructions&, const Window2D&, uint8_t, uint8_t, const uint8_t*, uint8_t*,
                        uint8_t*);
template void MaxPool2D(const Instructions&, const Window2D&, int8_t, int8_t, const int8_t*, int8_t*,
                        uint8_t*);

}  // namespace qat::simd
