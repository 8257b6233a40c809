#include "runtime/kernels/portable/pool_2d.h"

#include <algorithm>
#include <cstdint>

namespace qat::portable {
namespace {

// The largest of every channel over the taps [top, bottom) x [left, right), which lie inside the image.
template <class T>
void MaxOverTaps(const Window2D& w, const T* image, int32_t top, int32_t bottom, int32_t left, int32_t right,
                 T* output) {
  const int64_t depth = w.input_depth;
  std::copy_n(image + (int64_t{top} * w.input_w + left) * depth, depth, output);
  for (int32_t y = top; y < bottom; ++y) {
    const T* tap = image + (int64_t{y} * w.input_w + left) * depth;
    for (int32_t x = left; x < right; ++x, tap += depth) {
      for (int64_t c = 0; c < depth; ++c) output[c] = std::max(output[c], tap[c]);
    }
  }
}

}  // namespace

template <class T>
void MaxPool2D(const Window2D& w, T activation_min, T activation_max, const T* input, T* output) {
  for (int32_t n = 0; n < w.batch; ++n, input += int64_t{w.input_h} * w.input_w * w.input_depth) {
    for (int32_t y = 0; y < w.output_h; ++y) {
      const int32_t top = y * w.stride_h - w.pad_top;
      for (int32_t x = 0; x < w.output_w; ++x, output += w.output_depth) {
        const int32_t left = x * w.stride_w - w.pad_left;
        MaxOverTaps(w, input, std::max(top, 0), std::min(top + w.filter_h, w.input_h), std::max(left, 0),
                    std::min(left + w.filter_w, w.input_w), output);
        for (int32_t c = 0; c < w.output_depth; ++c) {
          output[c] = std::min(std::max(output[c], activation_min), activation_max);
        }
      }
    }
  }
}

template void MaxPool2D(const Window2D&, float, float, const float*, float*);
template void MaxPool2D(const Window2D&, uint8_t, uint8_t, const uint8_t*, uint8_t*);
template void MaxPool2D(const Window2D&, int8_t, int8_t, const int8_t*, int8_t*);

}  // namespace qat::portable
