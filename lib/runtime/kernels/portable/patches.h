// patches.h: windows of an image as rows of a matrix (im2col), a few rows at a time.
#ifndef QAT_RUNTIME_KERNELS_PORTABLE_PATCHES_H_
#define QAT_RUNTIME_KERNELS_PORTABLE_PATCHES_H_

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "runtime/kernels/portable/matrix.h"
#include "runtime/kernels/window.h"

namespace qat::portable {

/// Where the windows of one image are gathered: the image within a border of zeros, so that no window has to
/// check for the edge, then the rows. Images that would be mostly border are refused (see Fits).
struct PatchLayout {
  int64_t padded_w = 0;
  int64_t padded_h = 0;
  int64_t row_stride = 0;  ///< elements from one gathered row to the next
  int64_t rows = 0;        ///< gathered at a time

  PatchLayout() = default;
  PatchLayout(const Window2D& w, int64_t stride) : row_stride(stride), rows(kRows) {
    const int64_t reach_w = int64_t{w.output_w - 1} * w.stride_w + int64_t{w.filter_w - 1} * w.dilation_w + 1;
    const int64_t reach_h = int64_t{w.output_h - 1} * w.stride_h + int64_t{w.filter_h - 1} * w.dilation_h + 1;
    padded_w = std::max(int64_t{w.pad_left} + w.input_w, reach_w);
    padded_h = std::max(int64_t{w.pad_top} + w.input_h, reach_h);
  }

  /// False where the border would be many times the image, as a wide dilation can make it.
  bool Fits(const Window2D& w) const {
    return padded_w * padded_h <= 8 * int64_t{w.input_w} * w.input_h + 4096;
  }
  int64_t ImageElements(const Window2D& w) const { return padded_w * padded_h * w.input_depth + kSlack; }
  int64_t Elements(const Window2D& w) const { return ImageElements(w) + rows * row_stride + kSlack; }

  static constexpr int64_t kRows = 16;
};

/// Copies one image into its border of `fill`: rows [begin, end) of what it is with its border, whose row 0
/// `padded` points at. convert(from, to, count) writes `count` elements.
template <class From, class To, class Convert>
void PadRows(const Window2D& w, const PatchLayout& layout, const From* image, To* padded, int64_t begin,
             int64_t end, Convert convert, To fill = To{0}) {
  const int64_t padded_row = layout.padded_w * w.input_depth;
  const int64_t image_row = int64_t{w.input_w} * w.input_depth;
  const int64_t left = int64_t{w.pad_left} * w.input_depth;
  const int64_t top = w.pad_top, bottom = top + w.input_h;  // of the image
  if (begin >= end) return;
  // From the end of one row of the image to the beginning of the next one, the border is one piece.
  To* const stop = padded + end * padded_row;
  To* filled = padded + begin * padded_row;
  for (int64_t y = std::max(begin, top); y < std::min(end, bottom); ++y) {
    To* const row = padded + y * padded_row + left;
    std::fill(filled, row, fill);
    convert(image + (y - top) * image_row, row, image_row);
    filled = row + image_row;
  }
  std::fill(filled, stop, fill);
}

/// Copies in blocks of kSlack elements: up to kSlack - 1 more than `count`, which the next copy overwrites.
template <class T>
inline void CopyBlocks(const T* from, T* to, int64_t count) {
  for (int64_t i = 0; i < count; i += kSlack) std::memcpy(to + i, from + i, kSlack * sizeof(T));
}

/// The window whose first tap is `corner`, taps in the order height, width, channel.
template <class T>
void GatherPatch(const Window2D& w, const PatchLayout& layout, const T* corner, T* patch) {
  const int64_t padded_row = layout.padded_w * w.input_depth;
  // Without dilation a row of the window is contiguous.
  const int64_t runs = w.dilation_w == 1 ? 1 : w.filter_w;
  const int64_t run = w.dilation_w == 1 ? int64_t{w.filter_w} * w.input_depth : w.input_depth;
  for (int32_t y = 0; y < w.filter_h; ++y) {
    const T* row = corner + y * w.dilation_h * padded_row;
    for (int64_t i = 0; i < runs; ++i, patch += run)
      CopyBlocks(row + i * w.dilation_w * w.input_depth, patch, run);
  }
}

/// Calls multiply(rows, patches, first) for all windows of one image, PatchLayout::kRows at a time, `first`
/// being the number of the first one. `scratch` holds layout.Elements() elements.
template <class From, class To, class Convert, class Multiply>
void ForEachPatchBlock(const Window2D& w, const PatchLayout& layout, const From* image, To* scratch,
                       Convert convert, Multiply multiply) {
  PadRows(w, layout, image, scratch, 0, layout.padded_h, convert);
  To* const patches = scratch + layout.ImageElements(w);
  const int64_t pixels = int64_t{w.output_h} * w.output_w;
  for (int64_t first = 0; first < pixels; first += PatchLayout::kRows) {
    const int64_t rows = std::min(PatchLayout::kRows, pixels - first);
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t y = (first + r) / w.output_w * w.stride_h;
      const int64_t x = (first + r) % w.output_w * w.stride_w;
      GatherPatch(w, layout, scratch + (y * layout.padded_w + x) * w.input_depth,
                  patches + r * layout.row_stride);
    }
    multiply(rows, patches, first);
  }
}

}  // namespace qat::portable

#endif  // QAT_RUNTIME_KERNELS_PORTABLE_PATCHES_H_
