#include "quant/learned_range.h"

#include <algorithm>
#include <cmath>
#include <vector>

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

// As NudgedParams needs it to give the zero point 0, of a slice of zeros, too.
QuantizationParams ParamsOfEnd(const Precision& precision, float end) {
  return NudgedParams(RangeFor(precision, {-end, end}), LimitsOf(precision));
}

void RoundChannels(std::span<float> filter, size_t inner, std::span<const float> ends,
                   const Precision& precision) {
  std::vector<float> largest(ends.size(), 0);
  const auto channel = [&](size_t i) { return i / inner % ends.size(); };
  for (size_t i = 0; i < filter.size(); ++i)
    largest[channel(i)] = std::max(largest[channel(i)], std::abs(filter[i]));
  std::vector<QuantizationParams> grids;
  for (size_t c = 0; c < ends.size(); ++c)
    grids.push_back(ParamsOfEnd(precision, DeployedEnd(ends[c], largest[c])));
  for (size_t i = 0; i < filter.size(); ++i) {
    const QuantizationParams& grid = grids[channel(i)];
    if (ends[channel(i)] > 0)
      filter[i] = Dequantize(QuantizeFakeQuant(filter[i], grid, LimitsOf(precision)), grid);
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
