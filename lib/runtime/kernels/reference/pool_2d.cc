#include "runtime/kernels/reference/pool_2d.h"

#include <algorithm>
#include <limits>

namespace qat::reference {
namespace {

template <class T>
struct MaxOf {
  T value = std::numeric_limits<T>::lowest();
  void Add(T tap) { value = std::max(value, tap); }
  T Result() const { return value; }
};

template <class T>
struct AverageOf;

template <>
struct AverageOf<float> {
  float sum = 0;
  float count = 0;
  void Add(float tap) {
    sum += tap;
    ++count;
  }
  float Result() const { return sum / count; }
};

// 64 bits hold the sum of any image.
template <>
struct AverageOf<uint8_t> {
  uint64_t sum = 0;
  uint64_t count = 0;
  void Add(uint8_t tap) {
    sum += tap;
    ++count;
  }
  uint8_t Result() const { return static_cast<uint8_t>((sum + count / 2) / count); }
};

// Half away from zero, unlike uint8.
template <class T>
struct AverageOfSigned {
  int64_t sum = 0;
  int64_t count = 0;
  void Add(T tap) {
    sum += tap;
    ++count;
  }
  T Result() const { return static_cast<T>((sum > 0 ? sum + count / 2 : sum - count / 2) / count); }
};
template <>
struct AverageOf<int8_t> : AverageOfSigned<int8_t> {};
template <>
struct AverageOf<int16_t> : AverageOfSigned<int16_t> {};

template <class Statistic, class T>
T PoolWindowAt(const Window2D& w, const T* image, int32_t top, int32_t left, int32_t channel) {
  Statistic statistic;
  const int32_t bottom = std::min(top + w.filter_h, w.input_h);
  const int32_t right = std::min(left + w.filter_w, w.input_w);
  for (int32_t y = std::max(top, 0); y < bottom; ++y) {
    for (int32_t x = std::max(left, 0); x < right; ++x) {
      statistic.Add(image[(int64_t{y} * w.input_w + x) * w.input_depth + channel]);
    }
  }
  return statistic.Result();
}

template <class Statistic, class T>
void Pool(const Window2D& w, T activation_min, T activation_max, const T* input, T* output) {
  for (int32_t n = 0; n < w.batch; ++n) {
    const T* image = input + n * (int64_t{w.input_h} * w.input_w * w.input_depth);
    for (int32_t y = 0; y < w.output_h; ++y) {
      for (int32_t x = 0; x < w.output_w; ++x) {
        for (int32_t c = 0; c < w.output_depth; ++c) {
          const T value =
              PoolWindowAt<Statistic>(w, image, y * w.stride_h - w.pad_top, x * w.stride_w - w.pad_left, c);
          *output++ = std::min(std::max(value, activation_min), activation_max);
        }
      }
    }
  }
}

}  // namespace

template <class T>
void MaxPool2D(const Window2D& window, T activation_min, T activation_max, const T* input, T* output) {
  Pool<MaxOf<T>>(window, activation_min, activation_max, input, output);
}

template <class T>
void AveragePool2D(const Window2D& window, T activation_min, T activation_max, const T* input, T* output) {
  Pool<AverageOf<T>>(window, activation_min, activation_max, input, output);
}

template void MaxPool2D(const Window2D&, float, float, const float*, float*);
template void MaxPool2D(const Window2D&, uint8_t, uint8_t, const uint8_t*, uint8_t*);
template void MaxPool2D(const Window2D&, int8_t, int8_t, const int8_t*, int8_t*);
template void MaxPool2D(const Window2D&, int16_t, int16_t, const int16_t*, int16_t*);
template void AveragePool2D(const Window2D&, float, float, const float*, float*);
template void AveragePool2D(const Window2D&, uint8_t, uint8_t, const uint8_t*, uint8_t*);
template void AveragePool2D(const Window2D&, int8_t, int8_t, const int8_t*, int8_t*);
template void AveragePool2D(const Window2D&, int16_t, int16_t, const int16_t*, int16_t*);

}  // namespace qat::reference
