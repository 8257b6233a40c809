// binary.h: the functions of two values that define add, sub, mul and prelu on quantized values.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_BINARY_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_BINARY_H_

#include <algorithm>
#include <cstdint>

#include "quant/fixed_point.h"
#include "quant/params.h"
#include "runtime/kernels/arithmetic.h"

namespace qat::reference {

/// What all of them have in common.
struct QuantizedPair {
  int32_t zero_point_a = 0;
  int32_t zero_point_b = 0;
  int32_t zero_point_output = 0;
  QuantizedLimits clamp;

  int32_t Clamp(int32_t value) const {
    return std::clamp(WrappingAdd(value, zero_point_output), clamp.quant_min, clamp.quant_max);
  }
};

/// a + b, or a - b: both brought to one scale with 20 fractional bits (of 8-bit values) or 15 (of int16),
/// then to the output's.
/// Source    equal bit by bit to tflite/kernels/internal/reference/add.h and sub.h.
template <int kShift>
struct QuantizedSumOf : QuantizedPair {
  static constexpr int kLeftShift = kShift;
  FixedPointMultiplier multiplier_a;
  FixedPointMultiplier multiplier_b;
  FixedPointMultiplier multiplier_output;
  int32_t sign = 1;  ///< of b

  int32_t operator()(int32_t a, int32_t b) const {
    const int32_t scaled_a =
        MultiplyByQuantizedMultiplier((a - zero_point_a) * (1 << kLeftShift), multiplier_a);
    const int32_t scaled_b =
        MultiplyByQuantizedMultiplier((b - zero_point_b) * (1 << kLeftShift), multiplier_b);
    return Clamp(MultiplyByQuantizedMultiplier(scaled_a + sign * scaled_b, multiplier_output));
  }
};
using QuantizedSum = QuantizedSumOf<20>;

/// The same of int16 where all scales are powers of 2: the side with the finer steps is shifted to the
/// other's, which are the output's. Sums saturate, differences do not need to: the clamp does it.
/// Source    equal bit by bit to the same files.
struct ShiftedSum {
  int shift_a = 0;  ///< to the right; one of them is 0
  int shift_b = 0;
  int32_t sign = 1;  ///< of b
  QuantizedLimits clamp;

  int32_t operator()(int32_t a, int32_t b) const {
    const int32_t sum = RoundingDivideByPOT(a, shift_a) + sign * RoundingDivideByPOT(b, shift_b);
    return std::clamp(sum, clamp.quant_min, clamp.quant_max);
  }
};

/// a * b. Source    equal bit by bit to tflite/kernels/internal/reference/mul.h.
struct QuantizedProduct : QuantizedPair {
  FixedPointMultiplier multiplier;

  int32_t operator()(int32_t a, int32_t b) const {
    const int32_t product = (a - zero_point_a) * (b - zero_point_b);
    return Clamp(MultiplyByQuantizedMultiplier(product, multiplier));
  }
};

/// a >= 0 ? a : a * b. Source    equal bit by bit to tflite/kernels/internal/reference/prelu.h.
struct QuantizedPRelu : QuantizedPair {
  FixedPointMultiplier positive;
  FixedPointMultiplier negative;

  int32_t operator()(int32_t a, int32_t b) const {
    const int32_t value = a - zero_point_a;
    if (value >= 0) return Clamp(MultiplyByQuantizedMultiplier(value, positive));
    return Clamp(MultiplyByQuantizedMultiplier(value * (b - zero_point_b), negative));
  }
};

}  // namespace qat::reference

#endif  // QAT_RUNTIME_KERNELS_REFERENCE_BINARY_H_
