#include "quant/learned_range.h"

#include <algorithm>
#include <cmath>

namespace qat {
namespace {

double SquaredError(std::span<const float> values, float end, QuantizedLimits limits) {
  const float top = static_cast<float>(limits.quant_max);
  const float scale = NudgedParams({-end, end}, limits).scale;
  double sum = 0;
  for (const float value : values) {
    const float steps = std::clamp(std::floor(value / scale + 0.5f), -top, top);
    const double error = double{steps} * scale - value;
    sum += error * error;
  }
  return sum;
}

}  // namespace

float DeployedEnd(float learned, float largest) { return learned > 0 ? std::min(learned, largest) : largest; }

void ClampChannels(std::span<float> filter, size_t inner, std::span<const float> ends) {
  for (size_t i = 0; i < filter.size(); ++i) {
    const float end = ends[i / inner % ends.size()];
    if (end > 0) filter[i] = std::clamp(filter[i], -end, end);
  }
}

float LeastSquaresEnd(std::span<const float> values, QuantizedLimits limits) {
  constexpr int kEnds = 101;
  constexpr float kNarrower = 0.97f;
  float end = 0;
  for (const float value : values) end = std::max(end, std::abs(value));
  float best = end;
  double least = SquaredError(values, end, limits);
  for (int k = 1; k < kEnds; ++k) {
    end *= kNarrower;
    const double error = SquaredError(values, end, limits);
    if (error < least) least = error, best = end;
  }
  return best;
}

}  // namespace qat
