#include "runtime/kernels/reference/softmax.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/strings.h"

// Qm.n is a fixed-point number with m integer and n fractional bits: raw / 2^n. Names as in gemmlowp's
// fixedpoint.h.
namespace qat {
namespace {

constexpr int kIntegerBits = 5;  // differences are Q5.26: down to -32
constexpr int32_t kLargest = std::numeric_limits<int32_t>::max();

int32_t Mul(int32_t a, int32_t b) { return SaturatingRoundingDoublingHighMul(a, b); }

int32_t SaturatingShiftLeft(int32_t value, int exponent) {
  const int64_t shifted = int64_t{value} * (int64_t{1} << exponent);
  return static_cast<int32_t>(std::clamp<int64_t>(shifted, std::numeric_limits<int32_t>::min(), kLargest));
}

// exp of a Qm.n in [-1/4, 0) as Q0.31: the Taylor quartic around -1/8.
int32_t ExpOnQuarter(int32_t a, int integer_bits) {
  constexpr int32_t kExpMinusEighth = 1895147668;
  constexpr int32_t kThird = 715827883;
  const int32_t x = a * (1 << integer_bits) + (1 << 28);  // a + 1/8 in Q0.31
  const int32_t x2 = Mul(x, x);
  const int32_t x3 = Mul(x2, x);
  const int32_t x4 = Mul(x2, x2);
  const int32_t tail = RoundingDivideByPOT(Mul(RoundingDivideByPOT(x4, 2) + x3, kThird) + x2, 1);
  return kExpMinusEighth + Mul(kExpMinusEighth, x + tail);
}

// exp of a Qm.n <= 0 as Q0.31: z = a - remainder with a in [-1/4, 0), one factor exp(-2^k) for each bit of
// the remainder.
template <int kBits>
int32_t ExpOnNegative(int32_t z) {
  if (z == 0) return kLargest;
  constexpr int32_t kQuarter = 1 << (29 - kBits);
  constexpr int32_t kFactors[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  const int32_t a = (z & (kQuarter - 1)) - kQuarter;
  const int32_t remainder = a - z;
  int32_t result = ExpOnQuarter(a, kBits);
  for (int k = 0; k < kBits + 2; ++k) {
    if ((remainder & (kQuarter << k)) != 0) result = Mul(result, kFactors[k]);
  }
  return result;
}

// Largest value of a row.
template <class T>
T MaxOf(const T* row, int64_t depth) {
  T largest = std::numeric_limits<T>::lowest();
  for (int64_t i = 0; i < depth; ++i) largest = std::max(largest, row[i]);
  return largest;
}

int32_t ExpOfDifference(int32_t difference, FixedPointMultiplier multiplier) {
  return ExpOnNegative<kIntegerBits>(Mul(difference * (1 << multiplier.shift), multiplier.multiplier));
}

template <class T>
void SoftmaxRow(int64_t depth, const SoftmaxScaling& scaling, const T* input, T* output) {
  constexpr int32_t kMin = std::numeric_limits<T>::min();
  const int32_t largest = MaxOf(input, depth);
  int64_t sum = 0;
  for (int64_t i = 0; i < depth; ++i)
    sum += reference::SoftmaxTerm(reference::SoftmaxExp(scaling, input[i] - largest));
  const reference::SoftmaxQuotient quotient(sum);
  for (int64_t i = 0; i < depth; ++i)
    output[i] = static_cast<T>(quotient(reference::SoftmaxExp(scaling, input[i] - largest)) + kMin);
}

}  // namespace

Expected<SoftmaxScaling> ComputeSoftmaxScaling(float beta, float input_scale) {
  const double real = static_cast<double>(beta) * static_cast<double>(input_scale) *
                      static_cast<double>(1 << (31 - kIntegerBits));
  if (!(real > 1)) {
    return Unsupported(StrCat("beta ", beta, " times input scale ", input_scale, " is under 2^-26"));
  }
  SoftmaxScaling scaling;
  scaling.multiplier = QuantizeMultiplier(std::min(real, static_cast<double>(kLargest)));
  const double radius = 31.0 * static_cast<double>(int64_t{1} << (31 - kIntegerBits)) /
                        static_cast<double>(int64_t{1} << scaling.multiplier.shift);
  scaling.diff_min = -static_cast<int32_t>(std::floor(radius));
  return scaling;
}

namespace {

constexpr int32_t kOne = 1 << 29;  // of a Q2.29

// 2 / (1 + a) as Q2.29 of an a in [0, 1) as Q0.31: three steps of Newton's.
int32_t TwoOverOnePlus(int32_t a) {
  constexpr int32_t k48Over17 = 1515870810;
  constexpr int32_t kMinus32Over17 = -1010580540;
  const auto half = static_cast<int32_t>((int64_t{a} + kLargest + 1) / 2);
  int32_t x = k48Over17 + Mul(half, kMinus32Over17);
  for (int i = 0; i < 3; ++i) x += SaturatingShiftLeft(Mul(x, kOne - Mul(half, x)), 2);
  return x;
}

}  // namespace

namespace reference {

int32_t OneOverOnePlus(int32_t a) { return SaturatingShiftLeft(TwoOverOnePlus(a), 1); }

int32_t FixedLogistic(int32_t x) {
  if (x == 0) return 1 << 30;
  const int32_t of_magnitude = OneOverOnePlus(ExpOnNegative<4>(-std::abs(x)));
  return x > 0 ? of_magnitude : kLargest - of_magnitude;
}

int32_t FixedTanh(int32_t x) {
  if (x == 0) return 0;
  // exp(-2 |x|): the same integer with one fractional bit less.
  const int32_t of_magnitude = SaturatingShiftLeft(TwoOverOnePlus(ExpOnNegative<5>(-std::abs(x))) - kOne, 2);
  return x > 0 ? of_magnitude : -of_magnitude;
}

constexpr int kSumIntegerBits = 12;

int32_t SoftmaxExp(const SoftmaxScaling& scaling, int32_t difference) {
  return difference < scaling.diff_min ? 0 : ExpOfDifference(difference, scaling.multiplier);
}

int32_t SoftmaxTerm(int32_t exp) { return RoundingDivideByPOT(exp, kSumIntegerBits); }

SoftmaxQuotient::SoftmaxQuotient(int64_t wide_sum) {
  const auto sum = static_cast<uint32_t>(std::min<int64_t>(wide_sum, kLargest));
  const int headroom = std::countl_zero(sum);
  reciprocal_ = OneOverOnePlus(static_cast<int32_t>((sum << headroom) - (uint32_t{1} << 31)));
  exponent_ = kSumIntegerBits - headroom + 31 - 8;
}

int32_t SoftmaxQuotient::operator()(int32_t exp) const {
  if (exponent_ > 31) return 0;
  return std::clamp(RoundingDivideByPOT(Mul(reciprocal_, exp), exponent_), 0, 255);
}

void Softmax(int64_t rows, int64_t depth, float beta, const float* input, float* output) {
  for (int64_t row = 0; row < rows; ++row, input += depth, output += depth) {
    const float largest = MaxOf(input, depth);
    float sum = 0;
    for (int64_t i = 0; i < depth; ++i) {
      output[i] = std::exp((input[i] - largest) * beta);
      sum += output[i];
    }
    for (int64_t i = 0; i < depth; ++i) output[i] /= sum;
  }
}

template <class T>
void Softmax(int64_t rows, int64_t depth, const SoftmaxScaling& scaling, const T* input, T* output) {
  for (int64_t row = 0; row < rows; ++row)
    SoftmaxRow(depth, scaling, input + row * depth, output + row * depth);
}

template void Softmax(int64_t, int64_t, const SoftmaxScaling&, const uint8_t*, uint8_t*);
template void Softmax(int64_t, int64_t, const SoftmaxScaling&, const int8_t*, int8_t*);

}  // namespace reference
}  // namespace qat
