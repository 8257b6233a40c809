// segments.h: how the rows of a product lie in memory.
#ifndef QAT_RUNTIME_KERNELS_SIMD_SEGMENTS_H_
#define QAT_RUNTIME_KERNELS_SIMD_SEGMENTS_H_

#include <cstdint>
#include <vector>

#include "runtime/kernels/portable/patches.h"

namespace qat::simd {

/// Runs of `segment_size` elements, each at one of `offsets`, in elements from the beginning of the row.
struct Segments {
  std::vector<int64_t> offsets;
  int64_t segment_size = 0;
};

/// Runs of a window in the padded image. Rows that touch each other are one run.
inline Segments SegmentsOf(const Window2D& w, const portable::PatchLayout& layout) {
  const int64_t depth = w.input_depth;
  const bool rows_touch = w.dilation_h == 1 && w.filter_w == layout.padded_w;
  if (w.dilation_w == 1 && (w.filter_h == 1 || rows_touch)) return {{0}, w.filter_h * w.filter_w * depth};
  const bool taps_touch = w.dilation_w == 1;
  Segments segments{{}, taps_touch ? w.filter_w * depth : depth};
  for (int64_t y = 0; y < w.filter_h; ++y) {
    for (int64_t x = 0; x < (taps_touch ? 1 : w.filter_w); ++x) {
      segments.offsets.push_back((y * w.dilation_h * layout.padded_w + x * w.dilation_w) * depth);
    }
  }
  return segments;
}

}  // namespace qat::simd

#endif  // QAT_RUNTIME_KERNELS_SIMD_SEGMENTS_H_
