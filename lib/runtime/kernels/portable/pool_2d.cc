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

// The largest of kCount channels from `channel` on, as one vector: kCount values fill it or a part of it.
template <class T, int64_t kCount>
void MaxOfChannels(const Window2D& w, const Taps& taps, const Vector<T>& low, const Vector<T>& high,
                   const T* image, int64_t channel, T* output) {
  constexpr size_t kBytes = kCount * sizeof(T);
  const int64_t depth = w.input_depth;
  Vector<T> largest = low;
  for (int64_t y = taps.top; y < taps.bottom; ++y) {
    const T* tap = image + (y * w.input_w + taps.left) * depth + channel;
    for (int64_t x = taps.left; x < taps.right; ++x, tap += depth) {
      const Vector<T> values = LoadPart<T, kBytes>(tap);
      largest = largest < values ? values : largest;
    }
  }
  largest = high < largest ? high : largest;
  std::memcpy(output + channel, &largest, kBytes);
}

// All channels, kCount at a time; the last ones overlap those before them.
template <class T, int64_t kCount>
void MaxOverTaps(const Window2D& w, const Taps& taps, const Vector<T>& low, const Vector<T>& high,
                 const T* image, T* output) {
  const int64_t depth = w.input_depth;
  if constexpr (kCount > 1) {
    if (depth < kCount) return MaxOverTaps<T, kCount / 4>(w, taps, low, high, image, output);
  }
  for (int64_t channel = 0; channel + kCount <= depth; channel += kCount) {
    MaxOfChannels<T, kCount>(w, taps, low, high, image, channel, output);
  }
  if (depth % kCount != 0) MaxOfChannels<T, kCount>(w, taps, low, high, image, depth - kCount, output);
}

// f(taps, image, output pixel) for every pixel of the output.
template <class T, class F>
void ForEachWindow(const Window2D& w, const T* input, T* output, const F& f) {
  for (int32_t n = 0; n < w.batch; ++n, input += int64_t{w.input_h} * w.input_w * w.input_depth) {
    for (int32_t y = 0; y < w.output_h; ++y) {
      const int32_t top = y * w.stride_h - w.pad_top;
      for (int32_t x = 0; x < w.output_w; ++x, output += w.output_depth) {
        const int32_t left = x * w.stride_w - w.pad_left;
        f(Taps{std::max(top, 0), std::min(top + w.filter_h, w.input_h), std::max(left, 0),
               std::min(left + w.filter_w, w.input_w)},
          input, output);
      }
    }
  }
}

}  // namespace

template <class T>
void MaxPool2D(const Window2D& w, T activation_min, T activation_max, const T* input, T* output) {
  constexpr int64_t kLanes = 16 / sizeof(T);
  const Vector<T> low = Vector<T>{} + activation_min, high = Vector<T>{} + activation_max;
  ForEachWindow(w, input, output, [&](const Taps& taps, const T* image, T* pixel) {
    MaxOverTaps<T, kLanes>(w, taps, low, high, image, pixel);
  });
}

template void MaxPool2D(const Window2D&, float, float, const float*, float*);
template void MaxPool2D(const Window2D&, uint8_t, uint8_t, const uint8_t*, uint8_t*);
template void MaxPool2D(const Window2D&, int8_t, int8_t, const int8_t*, int8_t*);

void AveragePool2D(const Window2D& w, float activation_min, float activation_max, const float* input,
                   float* output) {
  const FloatArithmetic clamp = {activation_min, activation_max};
  const int64_t depth = w.input_depth;
  ForEachWindow(w, input, output, [&](const Taps& taps, const float* image, float* pixel) {
    std::fill_n(pixel, depth, 0.0f);
    for (int64_t y = taps.top; y < taps.bottom; ++y)
      SumRows(image + (y * w.input_w + taps.left) * depth, taps.right - taps.left, depth, depth, pixel);
    const auto count = static_cast<float>((taps.bottom - taps.top) * (taps.right - taps.left));
    for (int64_t c = 0; c < depth; ++c) pixel[c] = clamp.Output(pixel[c] / count);
  });
}

}  // namespace qat::portable
