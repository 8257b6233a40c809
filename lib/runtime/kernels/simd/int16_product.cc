#include "runtime/kernels/simd/int16_product.h"

#include <algorithm>

namespace qat::simd {
namespace {

// 504 * 2^15 * 2^7 < 2^31; half of it where a zero point makes 9 bits of a weight. Even, as a lane takes two
// values.
constexpr int64_t kDepth = 504;

// A part of the segments, and where its values lie in a unit of the filter.
struct Part {
  Segments segments;
  std::vector<int64_t> places;
};

std::vector<Part> PartsOf(const Segments& segments, int64_t depth) {
  std::vector<Part> parts;
  const int64_t size = segments.segment_size;
  const auto runs = static_cast<int64_t>(segments.offsets.size());
  if (size <= depth) {
    const int64_t together = depth / std::max<int64_t>(size, 1);
    for (int64_t first = 0; first < runs; first += together) {
      Part part{{{}, size}, {}};
      for (int64_t run = first; run < std::min(runs, first + together); ++run) {
        part.segments.offsets.push_back(segments.offsets[static_cast<size_t>(run)]);
        part.places.push_back(run * size);
      }
      parts.push_back(std::move(part));
    }
    return parts;
  }
  for (int64_t run = 0; run < runs; ++run) {
    for (int64_t at = 0; at < size; at += depth) {
      parts.push_back({{{segments.offsets[static_cast<size_t>(run)] + at}, std::min(depth, size - at)},
                       {run * size + at}});
    }
  }
  return parts;
}

std::vector<uint8_t> FilterOf(const Part& part, std::span<const uint8_t> filter, int64_t units) {
  const auto depth = static_cast<int64_t>(filter.size()) / units;
  std::vector<uint8_t> values;
  for (int64_t unit = 0; unit < units; ++unit) {
    for (const int64_t place : part.places) {
      const auto from = filter.begin() + unit * depth + place;
      values.insert(values.end(), from, from + part.segments.segment_size);
    }
  }
  return values;
}

}  // namespace

const Instructions* Int16InstructionsOf(Isa isa) {
#ifdef QAT_X86_KERNELS
  if (isa != Isa::kPortable) return &kAvx2Instructions;
#endif
#ifdef QAT_ARM_KERNELS
  if (isa != Isa::kPortable) return &kNeonInstructions;
#endif
  (void)isa;
  return nullptr;
}

Int16Product::Int16Product(const Instructions& instructions, const Segments& segments,
                           std::span<const uint8_t> filter, int64_t units, int32_t filter_zero_point)
    : units_(units) {
  const Operands operands = {true, 0, filter_zero_point};
  for (const Part& part : PartsOf(segments, filter_zero_point == 0 ? kDepth : kDepth / 2))
    parts_.push_back(
        PackForSums(instructions, part.segments, FilterOf(part, filter, units), units, operands));
}

void Int16Product::Multiply(const Int16Rows& at, int64_t rows, int32_t* narrow, int64_t* wide) const {
  constexpr int64_t kValue = sizeof(int16_t);
  for (size_t i = 0; i < parts_.size(); ++i) {
    Product product = parts_[i].AsProduct();
    product.input = reinterpret_cast<const uint8_t*>(at.input);
    product.width = at.width;
    product.step_x = at.step_x * kValue;
    product.step_y = at.step_y * kValue;
    product.sums = narrow;
    parts_[i].Multiply(product, rows, nullptr);
    if (parts_.size() == 1) return;
    const int64_t count = rows * units_;
    for (int64_t k = 0; k < count; ++k) wide[k] = i == 0 ? narrow[k] : wide[k] + narrow[k];
  }
}

}  // namespace qat::simd
