#include "quant/params.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace qat {
namespace {

// Of a range of width 0, as TFLite's converter has a scale that leaves the next layer's bias its steps.
template <class T>
T WidthOf(T min, T max) {
  return max > min ? max - min : T{1};
}

}  // namespace

Range IncludingZero(Range range) { return {std::min(range.min, 0.0f), std::max(range.max, 0.0f)}; }

QuantizationParams NudgedParams(Range range, QuantizedLimits limits) {
  QAT_CHECK(range.min <= 0 && range.max >= 0 && std::isfinite(range.max - range.min));
  const auto quant_min = static_cast<float>(limits.quant_min);
  const auto quant_max = static_cast<float>(limits.quant_max);
  const float scale = std::max(WidthOf(range.min, range.max) / (quant_max - quant_min), kSmallestScale);
  const float zero_point_from_min = quant_min - range.min / scale;
  const float clamped = std::clamp(zero_point_from_min, quant_min, quant_max);
  return {scale, static_cast<int32_t>(std::round(clamped))};
}

Range RepresentableRange(QuantizationParams params, QuantizedLimits limits) {
  // In 64 bits: the zero point of a file may be any int32.
  return {static_cast<float>(int64_t{limits.quant_min} - params.zero_point) * params.scale,
          static_cast<float>(int64_t{limits.quant_max} - params.zero_point) * params.scale};
}

QuantizationParams ChooseQuantizationParams(double min, double max, QuantizedLimits limits) {
  QAT_CHECK(min <= 0 && max >= 0 && std::isfinite(max - min));
  const double quant_min = limits.quant_min;
  const double quant_max = limits.quant_max;
  const double scale =
      std::max(WidthOf(min, max) / (quant_max - quant_min), static_cast<double>(kSmallestScale));
  const double from_min = quant_min - min / scale;
  const double from_max = quant_max - max / scale;
  const double error_from_min = std::abs(quant_min) + std::abs(min / scale);
  const double error_from_max = std::abs(quant_max) + std::abs(max / scale);
  const double exact = error_from_min < error_from_max ? from_min : from_max;
  const double zero_point = std::round(std::clamp(exact, quant_min, quant_max));
  return {static_cast<float>(scale), static_cast<int32_t>(zero_point)};
}

QuantizationParams InputStatsParams(double mean, double std) {
  QAT_CHECK(std > 0);
  // The converter forces 0 into the range (facts of TOCO, hardcode order: stats -> min/max in float ->
  // choose).
  const auto min = static_cast<float>((0 - mean) / std);
  const auto max = static_cast<float>((255 - mean) / std);
  return ChooseQuantizationParams(std::min(min, 0.0f), std::max(max, 0.0f), kUInt8Limits);
}

int32_t QuantizeActivation(float real, QuantizationParams params, QuantizedLimits limits) {
  const float steps = std::round(real / params.scale) + static_cast<float>(params.zero_point);
  // Compared as floats: a conversion of an out-of-range float to int is undefined.
  if (!(steps > static_cast<float>(limits.quant_min))) return limits.quant_min;
  if (steps >= static_cast<float>(limits.quant_max)) return limits.quant_max;
  return static_cast<int32_t>(steps);
}

int32_t QuantizeFakeQuant(float real, QuantizationParams params, QuantizedLimits limits) {
  const Range nudged = RepresentableRange(params, limits);
  if (std::isnan(real)) return params.zero_point;  // its conversion to int would be undefined
  const float clamped = std::clamp(real, nudged.min, nudged.max);
  const float steps = std::floor((clamped - nudged.min) / params.scale + 0.5f);
  return std::min(limits.quant_min + static_cast<int32_t>(steps), limits.quant_max);
}

float Dequantize(int32_t quantized, QuantizationParams params) {
  return static_cast<float>(static_cast<double>(params.scale) *
                            static_cast<double>(int64_t{quantized} - params.zero_point));
}

int32_t QuantizeBias(float bias, float input_scale, float filter_scale) {
  const double scale = input_scale * filter_scale;
  const double steps = std::round(static_cast<double>(bias) / scale);
  constexpr double kLimit = std::numeric_limits<int32_t>::max();
  return static_cast<int32_t>(std::clamp(steps, -kLimit, kLimit));
}

}  // namespace qat
