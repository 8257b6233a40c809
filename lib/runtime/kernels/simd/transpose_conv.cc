#include "runtime/kernels/simd/transpose_conv.h"

#include <algorithm>

namespace qat::simd {
namespace {

constexpr int64_t kStep = 4, kSlack = 64;  // bytes of a step of a product, and beyond the rows

int64_t UnitsOf(const Window2D& w) { return int64_t{w.filter_h} * w.filter_w * w.output_depth; }

// [O, H, W, I] to [H, W, O, I].
std::vector<uint8_t> TapsFirst(const Window2D& w, std::span<const uint8_t> filter) {
  const int64_t taps = int64_t{w.filter_h} * w.filter_w, depth = w.input_depth, units = w.output_depth;
  std::vector<uint8_t> values(filter.size());
  for (int64_t o = 0; o < units; ++o) {
    for (int64_t tap = 0; tap < taps; ++tap)
      std::copy_n(filter.begin() + (o * taps + tap) * depth, depth,
                  values.begin() + (tap * units + o) * depth);
  }
  return values;
}

size_t Lines(int64_t bytes) { return static_cast<size_t>((bytes + 63) / 64 * 64); }

}  // namespace

TransposeConv2D::TransposeConv2D(const Instructions& instructions, const Window2D& window,
                                 std::span<const uint8_t> filter, const Operands& operands)
    : window_(window),
      filter_(PackForSums(instructions, {{0}, window.input_depth}, TapsFirst(window, filter), UnitsOf(window),
                          operands)) {}

int64_t TransposeConv2D::RowSize() const {
  return (window_.input_depth * filter_.element_size() + kStep - 1) / kStep * kStep;
}

size_t TransposeConv2D::ScratchSize() const {
  return Lines(window_.input_w * RowSize() + kSlack) +
         Lines(window_.input_w * UnitsOf(window_) * static_cast<int64_t>(sizeof(int32_t)));
}

// Taps of a line of the filter that lie side by side in the output are one run.
void TransposeConv2D::AddLine(int32_t y, const int32_t* products, int32_t* sums) const {
  const Window2D& w = window_;
  const int32_t top = y * w.stride_h - w.pad_top;
  for (int32_t x = 0; x < w.input_w; ++x, products += UnitsOf(w)) {
    const int32_t left = x * w.stride_w - w.pad_left;
    const int32_t first = std::max(0, -left), last = std::min(w.filter_w, w.output_w - left);
    if (first >= last) continue;
    const int64_t count = int64_t{last - first} * w.output_depth;
    for (int32_t fy = std::max(0, -top); fy < std::min(w.filter_h, w.output_h - top); ++fy) {
      const auto* from =
          reinterpret_cast<const uint32_t*>(products) + (int64_t{fy} * w.filter_w + first) * w.output_depth;
      auto* const to = reinterpret_cast<uint32_t*>(sums) +
                       (int64_t{top + fy} * w.output_w + left + first) * w.output_depth;
      for (int64_t i = 0; i < count; ++i) to[i] += from[i];
    }
  }
}

void TransposeConv2D::Sums(const uint8_t* image, int32_t* sums, uint8_t* scratch) const {
  const Window2D& w = window_;
  std::fill_n(sums, int64_t{w.output_h} * w.output_w * w.output_depth, 0);
  auto* const products = reinterpret_cast<int32_t*>(scratch + Lines(w.input_w * RowSize() + kSlack));
  Product product = filter_.AsProduct();
  product.width = w.input_w;
  product.step_x = RowSize();
  product.sums = products;
  for (int32_t y = 0; y < w.input_h; ++y) {
    const uint8_t* const line = image + int64_t{y} * w.input_w * w.input_depth;
    product.input = line;
    if (!filter_.ReadsInPlace()) {
      for (int64_t x = 0; x < w.input_w; ++x)
        filter_.ConvertInput(line + x * w.input_depth, scratch + x * RowSize(), w.input_depth);
      product.input = scratch;
    }
    filter_.Multiply(product, w.input_w, nullptr);
    AddLine(y, products, sums);
  }
}

}  // namespace qat::simd
