#include "runtime/kernels/reference/int16_softmax.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/strings.h"

namespace qat::reference {
namespace {

int16_t Saturate(int32_t value) { return static_cast<int16_t>(std::clamp(value, -32768, 32767)); }

}  // namespace

Expected<Int16Softmax> Int16Softmax::Make(float beta, float input_scale) {
  constexpr double kSteps = 65535;  // of int16
  const double real = static_cast<double>(input_scale * beta) / (10.0 / kSteps);
  if (!(real >= 0 && real < 1e5 / (10.0 / kSteps)))
    return Corrupt(StrCat("beta times input scale is ", input_scale * beta, ", expected 0 to 10^5"));
  Int16Softmax softmax;
  softmax.multiplier_ = QuantizeMultiplier(real);
  softmax.exp_ =
      MakeInt16Table<double>(10.0 / kSteps, 32767, 2.0 / kSteps, 0, [](double x) { return std::exp(x); });
  softmax.reciprocal_ =
      MakeInt16Table<double>(1.0 / kSteps, -32768, 2.0 / kSteps, 0, [](double x) { return 1.0 / (1.0 + x); });
  return softmax;
}

void Int16Softmax::RunRow(int64_t depth, const int16_t* input, int16_t* output) const {
  const int32_t largest = *std::max_element(input, input + depth);
  uint32_t sum = 0;  // Q16.15
  for (int64_t i = 0; i < depth; ++i) {
    const int32_t difference = MultiplyByQuantizedMultiplier(input[i] - largest, multiplier_);
    output[i] = LookUp(exp_, Saturate(static_cast<int32_t>(static_cast<uint32_t>(difference) + 32767u)));
    sum += static_cast<uint32_t>(output[i]);
  }
  // The sum as 1 + x with 16 fractional bits of x, brought to the middle of int16.
  const int zeros =
      std::max(std::countl_zero(sum), 1);  // 0 only of more than 65535 values, where TFLite's sum overflows
  const auto normalized = static_cast<int32_t>(((int64_t{sum} << (zeros - 1)) + (1 << 13)) >> 14);
  const int32_t reciprocal = LookUp(reciprocal_, Saturate(normalized - (1 << 15) - (1 << 16)));
  const int shift = 31 - zeros;
  const int32_t half = 1 << (shift - 1);
  for (int64_t i = 0; i < depth; ++i)
    output[i] = static_cast<int16_t>(std::clamp((output[i] * reciprocal + half) >> shift, 0, 32767));
}

void Int16Softmax::Run(int64_t rows, int64_t depth, const int16_t* input, int16_t* output) const {
  for (int64_t row = 0; row < rows; ++row) RunRow(depth, input + row * depth, output + row * depth);
}

}  // namespace qat::reference
