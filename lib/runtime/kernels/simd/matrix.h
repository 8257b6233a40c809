// matrix.h: filters packed for one instruction set, and the products made of them; compiled for the baseline.
#ifndef QAT_RUNTIME_KERNELS_SIMD_MATRIX_H_
#define QAT_RUNTIME_KERNELS_SIMD_MATRIX_H_

#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include "runtime/kernels/isa.h"
#include "runtime/kernels/reference/fully_connected.h"
#include "runtime/kernels/simd/output_stage.h"
#include "runtime/kernels/simd/segments.h"
#include "runtime/kernels/thread_pool.h"

namespace qat::simd {

// Work of one tap and of one copied element for ForRuns, in multiply-accumulates of a product. A depthwise
// tap was measured to take four times as long (commit aad9760). A copy is estimated: half of its bytes come
// from another core's cache.
inline constexpr int64_t kWorkOfADepthwiseTap = 4;
inline constexpr int64_t kWorkOfACopy = 8;

inline constexpr int64_t kRowGrain = 12;       ///< rows of the largest tile
inline constexpr int64_t kVectorOfUnits = 16;  ///< fewer units than it holds are as much work
inline constexpr int64_t kUnitGrain = 64;      ///< units of the widest tile

/// Whether threads share a product by its units instead of its rows: where there are too few rows to share
/// them evenly.
bool SplitsUnits(const ThreadPool* pool, int64_t rows, int64_t units);

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

/// A filter [units, offsets.size() * segment_size] with all that is constant folded into its bias:
///   sum((x - zx) * (w - zw)) = sum(x * w') - (zw - 128) * sum(x) - zx * sum(w') + depth * zx * (zw - 128)
/// with w' = w - 128 on uint8; on int8 w' = w, zw in place of zw - 128, and x + 128, zx + 128 in place of x,
/// zx:
/// the kernel adds that 128 where it reads x. Instruction sets of signed rows multiply x - 128, with zx - 128
/// for zx.
/// The second term is a unit of its own. Where that would cost more, w - zw is packed itself, in two parts
/// (of two steps over the same bytes) where int8 does not hold it.
/// Where the instruction set widens: int16 of x - zx and of w - zw.
class PackedFilter {
 public:
  /// Requires `bias` empty or [units].
  PackedFilter(const Instructions& instructions, const Segments& segments, std::span<const uint8_t> filter,
               int64_t units, std::span<const int32_t> bias, const Operands& operands,
               const Requantization& requantization);

  bool widens() const { return instructions_->widens; }
  /// Of ForRuns.
  int64_t WorkOfARow() const;
  /// Runs AsProduct() with input and output on `rows` rows, which the threads share.
  void Multiply(const Product& product, int64_t rows, ThreadPool* pool) const;
  /// Bytes of an element of the rows.
  int64_t element_size() const { return instructions_->widens ? 2 : 1; }
  /// True if rows can be read where they are: no conversion, and no byte after a run.
  bool ReadsInPlace() const { return !instructions_->widens && segment_size_ % 4 == 0; }
  /// Writes elements as rows want them: bytes as they are, or int16 with the zero point taken off.
  void ConvertInput(const uint8_t* from, uint8_t* to, int64_t count) const;
  /// The zero point as a byte of the input.
  uint8_t InputZeroPoint() const { return static_cast<uint8_t>(operands_.input_zero_point); }
  /// All of the product but its rows and its output, without a pool.
  Product AsProduct() const;
  /// True if a max pool may be part of the product: it must be requantized in the folded form, which rises
  /// with the sum.
  bool CanPool() const { return stage_.View().folded_multiplier != nullptr; }
  /// Clamps outputs to `limits`, too, as an operator after this one would.
  void NarrowClamp(QuantizedLimits limits) { stage_.NarrowClamp(limits); }

 private:
  /// How w - zw becomes int8.
  struct Split {
    bool row_term = false;                ///< less the row's term
    std::vector<int64_t> two_part_steps;  ///< else: steps with values that int8 does not hold
  };
  static Split SplitOf(const Instructions& instructions, const Segments& segments,
                       std::span<const uint8_t> filter, int64_t units, const Operands& operands);

  template <int64_t kValues, class Word>
  void PackUnit(int64_t unit, Word word);
  void PackInParts(int64_t unit, const uint8_t* w);
  bool CanSplitUnits() const;
  Product OfUnits(const Product& product, int64_t begin, int64_t end) const;
  uint8_t* UnitValues(int64_t unit);
  void PackValues(std::span<const uint8_t> filter);
  void FoldBias(std::span<const uint8_t> filter, std::span<const int32_t> bias);
  void PlaceRowTerm();

  bool is_narrow() const { return units_ + (split_.row_term ? 1 : 0) <= instructions_->narrow_lanes; }
  int64_t lanes() const { return is_narrow() ? instructions_->narrow_lanes : instructions_->lanes; }

  const Instructions* instructions_;
  Operands operands_;
  int64_t units_;
  Split split_;
  int64_t padded_units_;
  int64_t segment_size_;
  int64_t segment_steps_;
  std::vector<int64_t> segment_offsets_;  // bytes
  std::vector<int64_t> step_offsets_;
  AlignedBytes values_;
  std::vector<int32_t> bias_;
  int32_t row_term_lane_ = -1;
  OutputStageTable stage_;
};

/// A filter without a bias for products that keep their sums (Product::sums).
PackedFilter PackForSums(const Instructions& instructions, const Segments& segments,
                         std::span<const uint8_t> filter, int64_t units, const Operands& operands);

/// What Prepare keeps of a fully connected layer.
struct FullyConnected {
  MatrixShape shape;
  PackedFilter filter;
};
size_t ScratchSize(const FullyConnected& layer);
/// Equal byte for byte to reference::FullyConnected.
void Run(const FullyConnected& layer, const uint8_t* input, uint8_t* output, uint8_t* scratch,
         ThreadPool* pool);
/// The sums alone, [rows, units], of a filter from PackForSums.
void RunSums(const FullyConnected& layer, const uint8_t* input, int32_t* sums, uint8_t* scratch,
             ThreadPool* pool);

}  // namespace qat::simd

#endif  // QAT_RUNTIME_KERNELS_SIMD_MATRIX_H_
