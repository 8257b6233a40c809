// matrix.h: filters packed for one instruction set, and the products made of them; compiled for the baseline.
#ifndef QAT_RUNTIME_KERNELS_SIMD_MATRIX_H_
#define QAT_RUNTIME_KERNELS_SIMD_MATRIX_H_

#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include "runtime/kernels/arithmetic.h"
#include "runtime/kernels/isa.h"
#include "runtime/kernels/reference/fully_connected.h"
#include "runtime/kernels/simd/instructions.h"

namespace qat::simd {

/// Null for Isa::kPortable.
const Instructions* InstructionsOf(Isa isa);

/// Bytes at a cache line: a vector across two would take two loads.
class AlignedBytes {
 public:
  explicit AlignedBytes(size_t size);
  uint8_t* data() { return data_.get(); }
  const uint8_t* data() const { return data_.get(); }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Deleter {
    void operator()(uint8_t* data) const { ::operator delete[](data, kAlignment); }
  };
  std::unique_ptr<uint8_t[], Deleter> data_;
};

/// Accumulator to output, one multiplier or one a unit; of `fixed` and `real` one is empty.
struct Requantization {
  std::vector<FixedPointMultiplier> fixed;
  std::vector<double> real;
  int32_t output_offset = 0;
  int32_t activation_min = 0;
  int32_t activation_max = 0;
};
template <class T>
Requantization RequantizationOf(const FixedPointArithmetic<T>& a) {
  return {{a.multiplier}, {}, a.output_offset, a.activation_min, a.activation_max};
}
template <class T>
Requantization RequantizationOf(const DoubleArithmetic<T>& a) {
  return {{}, {a.real_multiplier}, a.output_offset, a.activation_min, a.activation_max};
}

/// How the rows of a product lie in memory: runs of `segment_size` elements, each at one of `offsets`, in
/// elements from the beginning of the row.
struct Segments {
  std::vector<int64_t> offsets;
  int64_t segment_size = 0;
};

/// A filter [units, offsets.size() * segment_size] with all that is constant folded into its bias:
///   sum((x - zx) * (w - zw)) = sum(x * w') - (zw - 128) * sum(x) - zx * sum(w') + depth * zx * (zw - 128)
/// with w' = w - 128; or int16 of w - zw, where the instruction set widens.
class PackedFilter {
 public:
  /// Requires `bias` empty or [units].
  PackedFilter(const Instructions& instructions, const Segments& segments, std::span<const uint8_t> filter,
               int64_t units, std::span<const int32_t> bias, const QuantizedArithmetic<uint8_t>& offsets,
               const Requantization& requantization);

  const Instructions& instructions() const { return *instructions_; }
  /// Bytes of an element of the rows.
  int64_t element_size() const { return instructions_->widens ? 2 : 1; }
  /// True if rows of uint8 can be read where they are: no conversion, and no byte behind a run.
  bool ReadsInPlace() const { return !instructions_->widens && segment_size_ % 4 == 0; }
  /// All of the product but its rows and its output.
  Product AsProduct() const;

 private:
  template <class Value>
  void PackUnit(int64_t unit, Value value);
  void PackValues(std::span<const uint8_t> filter, int32_t filter_zero_point);
  void PlaceRowTerm();
  void FoldBias(std::span<const uint8_t> filter, std::span<const int32_t> bias, int32_t input_zero_point,
                int32_t filter_zero_point);
  void SpreadMultipliers(const Requantization& requantization);

  const Instructions* instructions_;
  int64_t units_;
  int64_t padded_units_;
  int64_t segment_size_;
  int64_t segment_steps_;
  std::vector<int64_t> segment_offsets_;  // bytes
  AlignedBytes values_;
  std::vector<int32_t> bias_;
  int32_t row_sum_factor_ = 0;
  int32_t row_term_lane_ = -1;
  std::vector<int32_t> multiplier_, left_shift_, right_shift_;
  std::vector<double> real_multiplier_;
  int32_t output_offset_, activation_min_, activation_max_;
};

/// Copies elements as rows want them: as they are, or int16 with the zero point taken off.
void ConvertElements(const PackedFilter& filter, int32_t input_offset, const uint8_t* from, uint8_t* to,
                     int64_t count);

/// What Prepare keeps of a fully connected layer.
struct FullyConnected {
  MatrixShape shape;
  int32_t input_offset;
  PackedFilter filter;
};
size_t ScratchSize(const FullyConnected& layer);
/// Equal byte for byte to reference::FullyConnected.
void Run(const FullyConnected& layer, const uint8_t* input, uint8_t* output, uint8_t* scratch);

}  // namespace qat::simd

#endif  // QAT_RUNTIME_KERNELS_SIMD_MATRIX_H_
