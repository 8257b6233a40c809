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

int32_t EndOf(float end, QuantizationParams output) {
  return output.zero_point + static_cast<int32_t>(std::round(end / output.scale));
}

// Calls f(acc, channel) for every element of [N, O, …].
template <class F>
at::Tensor MapChannels(const at::Tensor& acc, const F& f) {
  const at::Tensor input = acc.contiguous();
  at::Tensor output = at::empty_like(input);
  const double* from = input.data_ptr<double>();
  double* to = output.data_ptr<double>();
  const int64_t channels = input.size(1);
  const int64_t inner = std::max<int64_t>(input.numel() / (input.size(0) * channels), 1);
  at::parallel_for(0, input.numel(), 16384, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      QAT_DCHECK(std::abs(from[i]) < 0x1p31 && from[i] == std::trunc(from[i]));
      to[i] = f(static_cast<int32_t>(from[i]), static_cast<size_t>(i / inner % channels));
    }
  });
  return output;
}

}  // namespace

at::Tensor MapIntegers(const at::Tensor& values, const std::function<int32_t(int32_t)>& f) {
  const at::Tensor input = values.contiguous();
  at::Tensor output = at::empty_like(input);
  const double* from = input.data_ptr<double>();
  double* to = output.data_ptr<double>();
  at::parallel_for(0, input.numel(), 16384, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = f(static_cast<int32_t>(from[i]));
  });
  return output;
}

SimulatedFilter SimulateFilter(const at::Tensor& filter, const at::Tensor& bias,
                               std::vector<QuantizationParams> params, QuantizedLimits limits,
                               float input_scale) {
  const at::Tensor real_filter = filter.detach().contiguous();
  const at::Tensor real_bias = bias.detach().contiguous();
  SimulatedFilter result;
  result.params = std::move(params);
  result.values = at::empty(real_filter.sizes(), real_filter.options().dtype(at::kDouble));
  result.bias = at::empty(real_bias.sizes(), real_bias.options().dtype(at::kDouble));
  const auto of = [&](int64_t channel) {
    return result.params[static_cast<size_t>(channel) % result.params.size()];
  };
  const int64_t inner = real_filter.numel() / real_filter.size(0);
  for (int64_t i = 0; i < real_filter.numel(); ++i) {
    const QuantizationParams p = of(i / inner);
    result.values.data_ptr<double>()[i] =
        QuantizeFakeQuant(real_filter.data_ptr<float>()[i], p, limits) - p.zero_point;
  }
  for (int64_t i = 0; i < real_bias.numel(); ++i) {
    result.bias.data_ptr<double>()[i] =
        QuantizeBias(real_bias.data_ptr<float>()[i], input_scale, of(i).scale);
  }
  return result;
}

QuantizedLimits ActivationLimits(Activation activation, QuantizationParams output, QuantizedLimits limits) {
  const Range real = ActivationRange(activation);
  if (std::isfinite(real.min)) limits.quant_min = std::max(limits.quant_min, EndOf(real.min, output));
  if (std::isfinite(real.max)) limits.quant_max = std::min(limits.quant_max, EndOf(real.max, output));
  return limits;
}

at::Tensor RequantizeByMultiplier(const at::Tensor& acc, float input_scale, const SimulatedFilter& filter,
                                  const SimulatedOutput& output) {
  std::vector<FixedPointMultiplier> multipliers;
  for (const QuantizationParams& each : filter.params) {
    const double product = output.precision.type == DType::kInt8 ? double{input_scale} * double{each.scale}
                                                                 : double{input_scale * each.scale};
    multipliers.push_back(QuantizeMultiplier(product / double{output.params.scale}));
  }
  const QuantizedLimits limits =
      ActivationLimits(output.activation, output.params, LimitsOf(output.precision));
  return MapChannels(acc, [&](int32_t value, size_t channel) {
    const FixedPointMultiplier& multiplier = multipliers[channel % multipliers.size()];
    const int64_t scaled =
        int64_t{MultiplyByQuantizedMultiplier(value, multiplier)} + output.params.zero_point;
    // The sum wraps, as TFLite's does.
    return std::clamp(static_cast<int32_t>(scaled), limits.quant_min, limits.quant_max);
  });
}

at::Tensor RequantizeByDouble(const at::Tensor& acc, float input_scale, const SimulatedFilter& filter,
                              const SimulatedOutput& output) {
  std::vector<double> multipliers;
  for (const QuantizationParams& each : filter.params) {
    multipliers.push_back(double{input_scale} * double{each.scale} / double{output.params.scale});
  }
  const QuantizedLimits limits =
      ActivationLimits(output.activation, output.params, LimitsOf(output.precision));
  return MapChannels(acc, [&](int32_t value, size_t channel) {
    const double real_multiplier = multipliers[channel % multipliers.size()];
    // A dead layer's range has no width, and its steps are the smallest: products beyond int32 saturate.
    const double scaled = std::round(value * real_multiplier) + output.params.zero_point;
    return static_cast<int32_t>(
        std::clamp(scaled, double{1} * limits.quant_min, double{1} * limits.quant_max));
  });
}

}  // namespace qat
