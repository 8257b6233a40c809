// softmax.h: softmax over rows, on reals and in fixed point.
#ifndef QAT_RUNTIME_KERNELS_REFERENCE_SOFTMAX_H_
#define QAT_RUNTIME_KERNELS_REFERENCE_SOFTMAX_H_

#include <cstdint>

#include "base/expected.h"
#include "quant/fixed_point.h"

namespace qat {

/// What Prepare works out of beta * input_scale for the fixed-point softmax.
struct SoftmaxScaling {
  FixedPointMultiplier multiplier;  ///< differences of inputs to Q5.26; shift >= 0
  int32_t diff_min = 0;             ///< smaller differences are under exp(-31) and count as nothing
};

/// Errors: kUnsupported where beta * input_scale is 2^-26 or less: TFLite's kernel stops the process there.
Expected<SoftmaxScaling> ComputeSoftmaxScaling(float beta, float input_scale);

namespace reference {

/// 1 / (1 + a) as Q0.31 for a Q0.31 in [0, 1): three Newton steps. Source: gemmlowp fixedpoint.h,
/// one_over_one_plus_x_for_x_in_0_1.
int32_t OneOverOnePlus(int32_t a);

/// logistic(x) and tanh(x) as Q0.31 of a Q4.27, |x| < 16.
/// Source    equal bit by bit to gemmlowp's fixedpoint.h, logistic and tanh, which TFLite Micro's kernels of
/// int8 use.
int32_t FixedLogistic(int32_t x);
int32_t FixedTanh(int32_t x);

/// output[i] = exp(beta * (input[i] - max)) / sum.
/// Shapes    input, output [rows, depth].
void Softmax(int64_t rows, int64_t depth, float beta, const float* input, float* output);

/// The same in 32-bit fixed point; output scale 1/256, zero point 0 for uint8 and -128 for int8.
/// Rounding  exp in Q0.31 by a quartic and a product of powers, reciprocal by three Newton steps.
/// Source    equal bit by bit to tflite/kernels/internal/reference/softmax.h, but for sums of 512 and more:
///           there that kernel wants a shift by more than 31 bits and stops the process; here they are 0.
template <class T>
void Softmax(int64_t rows, int64_t depth, const SoftmaxScaling& scaling, const T* input, T* output);

/// The steps of that, for kernels that keep the first as a table.
/// exp(difference) in Q0.31 for a difference <= 0 of inputs; 0 under diff_min.
int32_t SoftmaxExp(const SoftmaxScaling& scaling, int32_t difference);
/// What it adds to the sum of a row, in Q12.19.
int32_t SoftmaxTerm(int32_t exp);
/// exp / sum in 256ths, at most 255.
class SoftmaxQuotient {
 public:
  explicit SoftmaxQuotient(int64_t sum);
  int32_t operator()(int32_t exp) const;

 private:
  int32_t reciprocal_;
  int exponent_;
};

}  // namespace reference
}  // namespace qat

#endif  // QAT_RUNTIME_KERNELS_REFERENCE_SOFTMAX_H_
