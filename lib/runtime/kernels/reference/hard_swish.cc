#include "runtime/kernels/reference/hard_swish.h"

#include <algorithm>
#include <cmath>

#include "base/strings.h"
#include "quant/fixed_point.h"

namespace qat {
namespace {

HalfMultiplier ToHalf(FixedPointMultiplier m) {
  constexpr int32_t kLargest = (1LL << 31) - 1 - (1 << 15);
  return {m.multiplier >= kLargest ? 32767 : (m.multiplier + (1 << 15)) >> 16, m.shift};
}

int32_t Saturate16(int64_t value) { return static_cast<int32_t>(std::clamp<int64_t>(value, -32768, 32767)); }

// floor((a * b + 2^14) / 2^15), the 16-bit form of SaturatingRoundingDoublingHighMul.
int32_t RoundingMul16(int32_t a, int32_t b) { return Saturate16((int64_t{a} * b + (1 << 14)) >> 15); }

}  // namespace

Expected<HardSwishScaling> ComputeHardSwishScaling(QuantizationParams input, QuantizationParams output) {
  const float fine = input.scale * (1.0f / 128);
  const float to_output = fine / output.scale, to_gate = fine / (3.0f / 32768);
  HardSwishScaling scaling{input, output, {}, {}};
  // Of scales from a file either quotient may be infinite.
  if (std::isfinite(to_output) && std::isfinite(to_gate)) {
    scaling.to_output = ToHalf(QuantizeMultiplier(static_cast<double>(to_output)));
    scaling.to_gate = ToHalf(QuantizeMultiplier(static_cast<double>(to_gate)));
    if (scaling.to_output.exponent <= 0) return scaling;
  }
  return Unsupported(
      StrCat("input scale is ", input.scale, ", expected below 128 times the output's, ", output.scale));
}

namespace reference {

int32_t HardSwish(const HardSwishScaling& scaling, int32_t quantized) {
  const int32_t value = (quantized - scaling.input.zero_point) * 128;
  const int32_t product = RoundingMul16(value, scaling.to_output.multiplier);
  // The gate, min(max(x + 3, 0), 6) / 6: saturation is its clamp, at -3 and 3.
  const int exponent = scaling.to_gate.exponent;
  int32_t gate = value;
  if (exponent > 0) gate = Saturate16(int64_t{gate} * (int64_t{1} << (exponent - 1)));
  gate = RoundingMul16(gate, scaling.to_gate.multiplier);
  if (exponent > 0) gate = Saturate16(int64_t{gate} * 2);
  if (exponent < 0) gate = RoundingDivideByPOT(gate, -exponent);
  gate = (gate + 32768) >> 1;  // Q0.15
  const int32_t gated = Saturate16(int64_t{gate} * product / (1 << 15));
  return RoundingDivideByPOT(gated, -scaling.to_output.exponent) + scaling.output.zero_point;
}

}  // namespace reference
}  // namespace qat
