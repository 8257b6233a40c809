// power_of_two.h: which scales TFLite takes for powers of 2: some int16 operators shift instead of
// multiplying.
#ifndef QAT_QUANT_POWER_OF_TWO_H_
#define QAT_QUANT_POWER_OF_TWO_H_

#include <cmath>
#include <optional>

namespace qat {

/// log2 of a scale that lies within 2^0.001 of a power of 2; nothing for any other, for 0 and below, and for
/// no number.
/// Source    tflite/kernels/internal/quantization_util.cc, CheckedLog2.
inline std::optional<int> Log2OfPowerOfTwo(float scale) {
  const float log2 = std::log(scale) * (1.0f / std::log(2.0f));
  const float rounded = std::round(log2);
  if (!(std::abs(log2 - rounded) < 1e-3f)) return std::nullopt;
  return static_cast<int>(rounded);
}

}  // namespace qat

#endif  // QAT_QUANT_POWER_OF_TWO_H_
