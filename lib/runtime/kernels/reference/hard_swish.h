// hard_swish.h: x * min(max(x + 3, 0), 6) / 6 in 16-bit fixed point.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_HARD_SWISH_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_HARD_SWISH_H_

#include <cstdint>

#include "base/expected.h"
#include "quant/params.h"

namespace qat {

/// A multiplier of 15 bits: multiplier * 2^(exponent - 15).
struct HalfMultiplier {
  int32_t multiplier = 0;
  int exponent = 0;
};

struct HardSwishScaling {
  QuantizationParams input;
  QuantizationParams output;
  HalfMultiplier to_output;  ///< from input / 128; exponent <= 0
  HalfMultiplier to_gate;    ///< from input / 128 to units of 3 / 32768
};

/// Errors: kUnsupported where the input's scale is 128 times the output's or more: TFLite's kernel refuses
/// it.
Expected<HardSwishScaling> ComputeHardSwishScaling(QuantizationParams input, QuantizationParams output);

namespace reference {

/// Not clamped to the output's type.
/// Source    equal bit by bit to tflite/kernels/internal/reference/hard_swish.h.
int32_t HardSwish(const HardSwishScaling& scaling, int32_t quantized);

}  // namespace reference
}  // namespace qat

#endif  // QAT_RUNTIME_KERNELS_REFERENCE_HARD_SWISH_H_
