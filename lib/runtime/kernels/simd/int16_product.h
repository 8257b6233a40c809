// int16_product.h: products of int16 rows with int8 filters. Sums of up to kDepth products fit into int32, so
// deeper ones are made of several products.
#ifndef QAT_RUNTIME_KERNELS_SIMD_INT16_PRODUCT_H_
#define QAT_RUNTIME_KERNELS_SIMD_INT16_PRODUCT_H_

#include "runtime/kernels/simd/matrix.h"

namespace qat::simd {

/// An instruction set that multiplies int16, on a machine that has `isa`; null: there is none.
const Instructions* Int16InstructionsOf(Isa isa);

/// Rows of int16 in memory: row r begins at input + (r / width) * step_y + (r % width) * step_x, in values.
struct Int16Rows {
  const int16_t* input;
  int64_t width, step_x, step_y;
};

class Int16Product {
 public:
  /// Shapes    filter [units, segments] of int8, less `filter_zero_point`. Runs of an odd number of values:
  /// one value after each is
  ///           read, and multiplied by zero.
  Int16Product(const Instructions& instructions, const Segments& segments, std::span<const uint8_t> filter,
               int64_t units, int32_t filter_zero_point);

  int64_t units() const { return units_; }
  /// Sums that one row needs room for: int32 ones of one product, int64 ones where there are several.
  size_t RowScratch() const { return static_cast<size_t>(units_) * (parts_.size() > 1 ? 12 : 4); }
  /// Calls store(row, sums) with the int64 or int32 sums of each of `rows` rows. `scratch` holds RowScratch()
  /// bytes for each row, aligned to 8.
  template <class Store>
  void Run(const Int16Rows& at, int64_t rows, uint8_t* scratch, const Store& store) const {
    auto* const wide = reinterpret_cast<int64_t*>(scratch);
    auto* const narrow = reinterpret_cast<int32_t*>(scratch + (parts_.size() > 1 ? rows * units_ * 8 : 0));
    Multiply(at, rows, narrow, wide);
    for (int64_t row = 0; row < rows; ++row) {
      if (parts_.size() > 1) {
        store(row, wide + row * units_);
      } else {
        store(row, narrow + row * units_);
      }
    }
  }

 private:
  void Multiply(const Int16Rows& at, int64_t rows, int32_t* narrow, int64_t* wide) const;

  int64_t units_;
  std::vector<PackedFilter> parts_;
};

}  // namespace qat::simd

#endif  // QAT_RUNTIME_KERNELS_SIMD_INT16_PRODUCT_H_
