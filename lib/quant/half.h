// half.h: float32 to float16 (IEEE 754 binary16).
#ifndef QAT_QUANT_HALF_H_
#define QAT_QUANT_HALF_H_

#include <cstdint>

namespace qat {

/// The largest finite float16.
inline constexpr float kLargestHalf = 65504;

/// The bits of the nearest float16, ties to even; magnitudes from 65520 on become infinity, NaN stays NaN.
uint16_t HalfBits(float value);

}  // namespace qat

#endif  // QAT_QUANT_HALF_H_
