#include "train/simulated.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "ops/op.h"
#include "quant/fixed_point.h"

namespace qat {
namespace {

// Applies int32 -> int32 to every element.
template <class F>
at::Tensor MapIntegers(const at::Tensor& acc, F f) {
  const at::Tensor input = acc.contiguous();
  at::Tensor output = at::empty_like(input);
  const double* from = input.data_ptr<double>();
  double* to = output.data_ptr<double>();
  at::parallel_for(0, input.numel(), 16384, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      QAT_DCHECK(std::abs(from[i]) < 0x1p31 && from[i] == std::trunc(from[i]));
      to[i] = f(static_cast<int32_t>(from[i]));
    }
  });
  return output;
}

int32_t EndOf(float end, QuantizationParams output) {
  return output.zero_point + static_cast<int32_t>(std::round(end / output.scale));
}

}  // namespace

SimulatedFilter SimulateFilter(const at::Tensor& filter, const at::Tensor& bias,
                               QuantizationParams filter_params, float input_scale) {
  const at::Tensor real_filter = filter.detach().contiguous();
  const at::Tensor real_bias = bias.detach().contiguous();
  SimulatedFilter result;
  result.params = filter_params;
  result.values = at::empty(real_filter.sizes(), real_filter.options().dtype(at::kDouble));
  result.bias = at::empty(real_bias.sizes(), real_bias.options().dtype(at::kDouble));
  for (int64_t i = 0; i < real_filter.numel(); ++i) {
    result.values.data_ptr<double>()[i] =
        QuantizeFakeQuant(real_filter.data_ptr<float>()[i], filter_params, kUInt8NarrowLimits);
  }
  for (int64_t i = 0; i < real_bias.numel(); ++i) {
    result.bias.data_ptr<double>()[i] =
        QuantizeBias(real_bias.data_ptr<float>()[i], input_scale, filter_params.scale);
  }
  return result;
}

QuantizedLimits ActivationLimits(Activation activation, QuantizationParams output) {
  const Range real = ActivationRange(activation);
  QuantizedLimits limits = kUInt8Limits;
  if (std::isfinite(real.min)) limits.quant_min = std::max(limits.quant_min, EndOf(real.min, output));
  if (std::isfinite(real.max)) limits.quant_max = std::min(limits.quant_max, EndOf(real.max, output));
  return limits;
}

at::Tensor RequantizeByMultiplier(const at::Tensor& acc, float input_scale, float filter_scale,
                                  QuantizationParams output, Activation activation) {
  const float product = input_scale * filter_scale;
  const FixedPointMultiplier multiplier =
      QuantizeMultiplier(static_cast<double>(product) / static_cast<double>(output.scale));
  const QuantizedLimits limits = ActivationLimits(activation, output);
  return MapIntegers(acc, [=](int32_t value) {
    const int32_t scaled = MultiplyByQuantizedMultiplier(value, multiplier) + output.zero_point;
    return std::clamp(scaled, limits.quant_min, limits.quant_max);
  });
}

at::Tensor RequantizeByDouble(const at::Tensor& acc, float input_scale, float filter_scale,
                              QuantizationParams output, Activation activation) {
  const double real_multiplier = static_cast<double>(input_scale) * static_cast<double>(filter_scale) /
                                 static_cast<double>(output.scale);
  const QuantizedLimits limits = ActivationLimits(activation, output);
  return MapIntegers(acc, [=](int32_t value) {
    const int32_t scaled = static_cast<int32_t>(std::round(value * real_multiplier)) + output.zero_point;
    return std::clamp(scaled, limits.quant_min, limits.quant_max);
  });
}

}  // namespace qat
