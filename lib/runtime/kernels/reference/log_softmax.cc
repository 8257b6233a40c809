#include "runtime/kernels/reference/log_softmax.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace qat::reference {
namespace {

int32_t Mul(int32_t a, int32_t b) { return SaturatingRoundingDoublingHighMul(a, b); }

int32_t ShiftLeft(int32_t value, int bits) {
  const int64_t shifted = int64_t{value} * (int64_t{1} << bits);
  return static_cast<int32_t>(
      std::clamp<int64_t>(shifted, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()));
}

int LeadingZeros(int32_t value) { return std::countl_zero(static_cast<uint32_t>(value)); }

// A number z >= 1 as 2^power * mantissa: the power in Q6.25, the mantissa in Q0.31.
struct Parts {
  int32_t power;
  int32_t mantissa;
};

// The mantissa is in [2^(-3/4), 2^(1/4)) but for factors of sqrt(1/2): of two ways the one with the larger
// power and the smaller mantissa.
Parts Split(int32_t z) {
  constexpr int kIntegerBits = 12, kPowerBits = 25;
  constexpr int32_t kSqrtHalf = 1518500250, kQuarter = 1 << 23;
  const auto power = [&](int zeros) { return (kIntegerBits - zeros) * (1 << kPowerBits); };
  const int zeros = LeadingZeros(z);
  const int zeros_b = LeadingZeros(Mul(z, kSqrtHalf)) - 1;
  return {std::max(power(zeros) + kQuarter, power(zeros_b) - kQuarter),
          std::min(ShiftLeft(Mul(ShiftLeft(z, zeros - 1), kSqrtHalf), 1), ShiftLeft(z, zeros_b))};
}

// ln of a Q12.19 of 1 or more, in Q5.26.
int32_t Log(int32_t z) {
  constexpr int32_t kLn2 = 1488522236, kSqrtSqrtHalf = 1805811301;
  constexpr int32_t kAlphaN = 117049297, kAlphaD = 127690142, kAlphaI = 1057819769, kAlphaF = 638450708;
  const auto [power, r] = Split(z);
  const int64_t sum = int64_t{r} + kSqrtSqrtHalf;
  const auto p = static_cast<int32_t>((sum + (sum >= 0 ? 1 : -1)) / 2);
  const int32_t q = (r - kSqrtSqrtHalf) * 2;
  const int32_t q2 = Mul(q, q);
  const int32_t top = Mul(q, r) + Mul(Mul(q, q2), kAlphaN);
  const int32_t below = Mul(p, kAlphaI + q + Mul(kAlphaD, q2)) + Mul(kAlphaF, q);
  return ShiftLeft(Mul(power, kLn2) + Mul(RoundingDivideByPOT(top, 6), OneOverOnePlus(below)), 1);
}

template <class T>
void LogSoftmaxRow(int64_t depth, const LogSoftmaxScaling& scaling, const T* input, T* output) {
  constexpr int32_t kMin = std::numeric_limits<T>::min(), kMax = std::numeric_limits<T>::max();
  constexpr int kOutputShift = 31 - 5 - 4;  // from Q5.26 to 16ths
  const int32_t largest = *std::max_element(input, input + depth);
  uint32_t sum = 0;
  for (int64_t i = 0; i < depth; ++i)
    sum += static_cast<uint32_t>(SoftmaxTerm(SoftmaxExp(scaling.exp, input[i] - largest)));
  const int32_t log_sum = Log(static_cast<int32_t>(sum));
  const int32_t lowest = log_sum + std::numeric_limits<int32_t>::min();
  const int32_t diff_min =
      std::max(scaling.exp.diff_min - 1, MultiplyByQuantizedMultiplier(lowest, scaling.to_inputs));
  for (int64_t i = 0; i < depth; ++i) {
    const int32_t difference = input[i] - largest;
    int32_t value = kMin;
    if (difference > diff_min) {
      const int32_t rescaled = MultiplyByQuantizedMultiplier(difference, scaling.exp.multiplier);
      const auto log = static_cast<int32_t>(static_cast<uint32_t>(rescaled) - static_cast<uint32_t>(log_sum));
      value = std::clamp(RoundingDivideByPOT(log, kOutputShift) + kMax, kMin, kMax);
    }
    output[i] = static_cast<T>(value);
  }
}

}  // namespace

LogSoftmaxScaling MakeLogSoftmaxScaling(const SoftmaxScaling& exp) {
  const double inverse = static_cast<double>(int64_t{1} << (31 - exp.multiplier.shift)) /
                         static_cast<double>(exp.multiplier.multiplier);
  return {exp, QuantizeMultiplier(inverse)};
}

template <class T>
void LogSoftmax(int64_t rows, int64_t depth, const LogSoftmaxScaling& scaling, const T* input, T* output) {
  for (int64_t row = 0; row < rows; ++row)
    LogSoftmaxRow(depth, scaling, input + row * depth, output + row * depth);
}

template void LogSoftmax(int64_t, int64_t, const LogSoftmaxScaling&, const uint8_t*, uint8_t*);
template void LogSoftmax(int64_t, int64_t, const LogSoftmaxScaling&, const int8_t*, int8_t*);

}  // namespace qat::reference
