// output_stage.h: the requantization of a layer, spread over lanes as the instruction sets want it.
#ifndef QAT_RUNTIME_KERNELS_SIMD_OUTPUT_STAGE_H_
#define QAT_RUNTIME_KERNELS_SIMD_OUTPUT_STAGE_H_

#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "quant/params.h"
#include "runtime/kernels/arithmetic.h"
#include "runtime/kernels/simd/instructions.h"

namespace qat::simd {

/// Accumulator to output, one multiplier or one per unit; of `fixed` and `real` one is empty.
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
Requantization RequantizationOf(const ChannelFixedPointArithmetic<T>& a) {
  return {a.multipliers, {}, a.output_offset, a.activation_min, a.activation_max};
}
template <class T>
Requantization RequantizationOf(const DoubleArithmetic<T>& a) {
  return {{}, {a.real_multiplier}, a.output_offset, a.activation_min, a.activation_max};
}
template <class T>
Requantization RequantizationOf(const ChannelDoubleArithmetic<T>& a) {
  return {{}, a.real_multipliers, a.output_offset, a.activation_min, a.activation_max};
}

/// What the bytes of both operands mean.
struct Operands {
  bool is_signed = false;
  int32_t input_zero_point = 0;
  int32_t filter_zero_point = 0;

  uint8_t flip() const { return is_signed ? 0x80 : 0; }
  /// Of the input's bytes as unsigned ones.
  int32_t unsigned_input_zero_point() const { return input_zero_point + flip(); }
  int32_t FilterValue(uint8_t byte) const {
    return (is_signed ? static_cast<int8_t>(byte) : int32_t{byte}) - filter_zero_point;
  }
  /// Largest magnitude of x - zero point.
  int64_t InputReach() const;
};

template <class T>
Operands OperandsOf(const QuantizedArithmetic<T>& a) {
  return {std::is_signed_v<T>, -a.input_offset, -a.filter_offset};
}

/// The same stage for units from `unit` on.
OutputStage OfUnitsFrom(OutputStage stage, int64_t unit);

/// The arrays that an OutputStage points into.
class OutputStageTable {
 public:
  /// `units[lane]` is the unit of a lane, -1 for none; `bounds[unit]` is the largest magnitude of its
  /// accumulator.
  OutputStageTable(const Requantization& requantization, bool is_signed, std::span<const int64_t> units,
                   std::span<const int64_t> bounds);
  OutputStage View() const;
  void NarrowClamp(QuantizedLimits limits);

 private:
  bool CanFold(const Requantization& requantization, std::span<const int64_t> bounds) const;
  void MakeGuesses(const Requantization& requantization, std::span<const int64_t> units,
                   std::span<const int64_t> bounds);

  std::vector<int32_t> folded_multiplier_, rounding_, sign_shift_;
  std::vector<float> guess_scale_, guess_center_, guess_center_below_;
  std::vector<int32_t> multiplier_, left_shift_, right_shift_;
  std::vector<double> real_multiplier_;
  int32_t offset_, activation_min_, activation_max_;
  uint8_t flip_;
};

}  // namespace qat::simd

#endif  // QAT_RUNTIME_KERNELS_SIMD_OUTPUT_STAGE_H_
