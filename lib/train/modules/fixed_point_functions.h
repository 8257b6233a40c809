// fixed_point_functions.h: the functions of gemmlowp's fixed-point numbers that exact simulations need,
// written from their formulas; the runtime has its own. Qm.n has m integer and n fractional bits in an int32.
#ifndef QAT_TRAIN_MODULES_FIXED_POINT_FUNCTIONS_H_
#define QAT_TRAIN_MODULES_FIXED_POINT_FUNCTIONS_H_

#include <cstdint>
#include <limits>

#include "quant/fixed_point.h"

namespace qat::functional {

inline constexpr int32_t kLargest = std::numeric_limits<int32_t>::max();

inline int32_t HighMul(int32_t a, int32_t b) { return SaturatingRoundingDoublingHighMul(a, b); }

/// x * 2^bits, at the ends of int32 where it does not fit.
int32_t SaturatingShiftLeft(int32_t x, int bits);

/// exp(z) as Q0.31 for z <= 0 as Q5.26: the part below 1/4 by a polynomial, each binary digit above it by a
/// factor exp(-2^k), k = -2 … 4.
int32_t ExpOfNegative(int32_t z);

/// 1 / (1 + x) as Q0.31 for x in [0, 1), Q0.31: Newton's steps for the reciprocal of (1 + x) / 2.
int32_t ReciprocalOfOnePlus(int32_t x);

/// ln(x) as Q5.26 for x >= 1 as Q12.19.
/// Source    tflite/kernels/internal/common.h, log_x_for_x_greater_than_or_equal_to_1.
int32_t LogOfAtLeastOne(int32_t x);

/// 1 / sqrt(x) of a whole number as a multiplier; 1 for x <= 1. Five Newton steps in Q3.28.
/// Source    tflite/kernels/internal/common.h, GetInvSqrtQuantizedMultiplierExp.
FixedPointMultiplier InverseRoot(int32_t x);

}  // namespace qat::functional

#endif  // QAT_TRAIN_MODULES_FIXED_POINT_FUNCTIONS_H_
