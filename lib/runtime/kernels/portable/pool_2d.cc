#include "runtime/kernels/portable/pool_2d.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "runtime/kernels/portable/elementwise.h"

namespace qat::portable {
namespace {

// The taps of one output pixel: [top, bottom) x [left, right), which lie inside the image.
struct Taps {
  int64_t top, bottom, left, right;
};

template <class T>
struct VectorOf {
  typedef T Type __attribute__((vector_size(16)));
};
template <class T>
using Vector = typename VectorOf<T>::Type;

// kBytes of memory and zeros, by way of a register: bytes put into a vector in memory would stall its load.
template <class T, size_t kBytes>
Vector<T> LoadPart(const T* from) {
  if constexpr (kBytes == sizeof(Vector<T>)) {
    Vector<T> values;
    std::memcpy(&values, from, kBytes);
    return values;
  } else {
    uint32_t word = 0;
    std::memcpy(&word, from, kBytes);
    const Vector<uint32_t> words = {word};
    return reinterpret_cast<Vector<T>>(words);
  }
}

// The largest of kCount channels of `pixels` windows side by side, as one vector each: kCount values fill it
// or a part of it.
// Channels are taken kCount at a time; the last ones overlap those before them. kSide > 0: both sides of a
// window, known here.
template <class T, int64_t kCount, int64_t kSide>
void MaxOfWindows(const Window2D& w, const Taps& taps, int64_t pixels, const Vector<T>& low,
                  const Vector<T>& high, const T* image, T* output) {
  const int64_t depth = w.input_depth;
  constexpr size_t kBytes = kCount * sizeof(T);
  if constexpr (kCount > 1) {
    constexpr int64_t kFewer = kBytes > 4 ? 4 / sizeof(T) : 1;
    if (depth < kCount) return MaxOfWindows<T, kFewer, kSide>(w, taps, pixels, low, high, image, output);
  }
  const int64_t rows = kSide > 0 ? kSide : taps.bottom - taps.top;
  const int64_t columns = kSide > 0 ? kSide : taps.right - taps.left;
  const int64_t row_step = w.input_w * depth, pixel_step = w.stride_w * depth;
  const T* corner = image + (taps.top * w.input_w + taps.left) * depth;
  for (int64_t pixel = 0; pixel < pixels; ++pixel, corner += pixel_step, output += depth) {
    for (int64_t next = 0; next < depth; next += kCount) {
      const int64_t channel = std::min(next, depth - kCount);
      Vector<T> largest = low;
      for (int64_t y = 0; y < rows; ++y) {
        const T* tap = corner + y * row_step + channel;
        for (int64_t x = 0; x < columns; ++x, tap += depth) {
          const Vector<T> values = LoadPart<T, kBytes>(tap);
          largest = largest < values ? values : largest;
        }
      }
      largest = high < largest ? high : largest;
      std::memcpy(output + channel, &largest, kBytes);
    }
  }
}

// f(taps, image, output pixel, pixels) for all of the output: once for those of a row whose windows are
// inside the image, once for each of the others. Taps are those of the first one.
template <class T, class F>
void ForEachRun(const Window2D& w, const T* input, T* output, const F& f) {
  const ColumnRange inside = ColumnsInside(w);
  for (int32_t n = 0; n < w.batch; ++n, input += int64_t{w.input_h} * w.input_w * w.input_depth) {
    for (int32_t y = 0; y < w.output_h; ++y) {
      const int32_t top = y * w.stride_h - w.pad_top;
      for (int32_t x = 0; x < w.output_w;) {
        const int32_t left = x * w.stride_w - w.pad_left;
        const int32_t pixels = x == inside.begin ? std::max(inside.end - x, 1) : 1;
        f(Taps{std::max(top, 0), std::min(top + w.filter_h, w.input_h), std::max(left, 0),
               std::min(left + w.filter_w, w.input_w)},
          pixels, input, output);
        x += pixels;
        output += int64_t{pixels} * w.output_depth;
      }
    }
  }
}

}  // namespace

template <class T>
void MaxPool2D(const Window2D& w, T activation_min, T activation_max, const T* input, T* output) {
  constexpr int64_t kLanes = 16 / sizeof(T);
  const Vector<T> low = Vector<T>{} + activation_min, high = Vector<T>{} + activation_max;
  ForEachRun(w, input, output, [&](const Taps& taps, int64_t pixels, const T* image, T* first) {
    if (taps.bottom - taps.top == 2 && taps.right - taps.left == 2) {
      MaxOfWindows<T, kLanes, 2>(w, taps, pixels, low, high, image, first);
    } else {
      MaxOfWindows<T, kLanes, 0>(w, taps, pixels, low, high, image, first);
    }
  });
}

template void MaxPool2D(const Window2D&, float, float, const float*, float*);
template void MaxPool2D(const Window2D&, uint8_t, uint8_t, const uint8_t*, uint8_t*);
template void MaxPool2D(const Window2D&, int8_t, int8_t, const int8_t*, int8_t*);
template void MaxPool2D(const Window2D&, int16_t, int16_t, const int16_t*, int16_t*);

void AveragePool2D(const Window2D& w, float activation_min, float activation_max, const float* input,
                   float* output) {
  const FloatArithmetic clamp = {activation_min, activation_max};
  const int64_t depth = w.input_depth;
  ForEachRun(w, input, output, [&](Taps taps, int64_t pixels, const float* image, float* pixel) {
    const int64_t columns = taps.right - taps.left;
    const auto count = static_cast<float>((taps.bottom - taps.top) * columns);
    for (int64_t i = 0; i < pixels; ++i, taps.left += w.stride_w, pixel += depth) {
      std::fill_n(pixel, depth, 0.0f);
      for (int64_t y = taps.top; y < taps.bottom; ++y)
        SumRows(image + (y * w.input_w + taps.left) * depth, columns, depth, depth, pixel);
      for (int64_t c = 0; c < depth; ++c) pixel[c] = clamp.Output(pixel[c] / count);
    }
  });
}

}  // namespace qat::portable
