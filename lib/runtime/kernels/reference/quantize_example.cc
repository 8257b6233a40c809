#include "runtime/kernels/reference/quantize_example.h"

#include <algorithm>
#include <cmath>

namespace qat::reference {
namespace {

constexpr QuantizedLimits kInt8Limits = {-128, 127};

Range RangeOf(int64_t count, const float* input) {
  Range range;  // with 0
  for (int64_t i = 0; i < count; ++i) {
    range.min = std::min(range.min, input[i]);
    range.max = std::max(range.max, input[i]);
  }
  return range;
}

// Values that the vector routines take at a time, and what they round them by.
constexpr int64_t kLanes = 8;
float RoundOfVector(float value) { return std::trunc(value + std::copysign(0.5f, value)); }

// output[i] = clamp(zero_point + round(input[i] * inverse)). Products may be infinite or no number.
void Quantize(int64_t count, const float* input, float inverse, int32_t zero_point, QuantizedLimits limits,
              int8_t* output) {
  const int64_t whole = count - count % kLanes;
  const auto low = static_cast<float>(limits.quant_min - zero_point);
  const auto high = static_cast<float>(limits.quant_max - zero_point);
  for (int64_t i = 0; i < count; ++i) {
    const float value = input[i] * inverse;
    const float rounded = i < whole ? RoundOfVector(value) : std::round(value);
    const auto steps = std::isnan(rounded) ? 0 : static_cast<int32_t>(std::clamp(rounded, low, high));
    output[i] = static_cast<int8_t>(steps + zero_point);
  }
}

// From whichever end has the smaller rounding error.
double RealZeroPoint(double min, double max, double scale) {
  const double from_min = kInt8Limits.quant_min - min / scale;
  const double from_max = kInt8Limits.quant_max - max / scale;
  const double error_of_min = std::abs(double{kInt8Limits.quant_min}) + std::abs(min / scale);
  const double error_of_max = std::abs(double{kInt8Limits.quant_max}) + std::abs(max / scale);
  return error_of_min < error_of_max ? from_min : from_max;
}

}  // namespace

QuantizationParams QuantizeSymmetric(int64_t count, const float* input, int8_t* output) {
  constexpr int32_t kLargest = 127;
  const Range range = RangeOf(count, input);
  const float most = std::max(-range.min, range.max);
  if (most == 0) {
    std::fill_n(output, count, int8_t{0});
    return {1, 0};
  }
  Quantize(count, input, static_cast<float>(kLargest) / most, 0, {-kLargest, kLargest}, output);
  return {most / static_cast<float>(kLargest), 0};
}

QuantizationParams QuantizeAsymmetric(int64_t count, const float* input, int8_t* output) {
  const Range range = RangeOf(count, input);
  if (range.min == range.max) {
    std::fill_n(output, count, int8_t{0});
    return {1, 0};
  }
  const auto min = static_cast<double>(range.min), max = static_cast<double>(range.max);
  // The distance as float32, before it becomes a double.
  const double scale =
      static_cast<double>(range.max - range.min) / (kInt8Limits.quant_max - kInt8Limits.quant_min);
  const double zero_point = std::clamp(RealZeroPoint(min, max, scale), double{kInt8Limits.quant_min},
                                       double{kInt8Limits.quant_max});
  QuantizationParams params{static_cast<float>(scale), 0};
  if (std::isfinite(zero_point)) params.zero_point = static_cast<int32_t>(std::round(zero_point));
  const float inverse =
      params.scale == 0 ? 0.0f : static_cast<float>(1.0 / static_cast<double>(params.scale));
  Quantize(count, input, inverse, params.zero_point, kInt8Limits, output);
  return params;
}

}  // namespace qat::reference
