// arithmetic.h: what a multiply-accumulate operator computes, by element type and by requantization: the
// type chosen in Prepare, so that no loop branches on it. Kernels are templates over one of these.
#ifndef QAT_RUNTIME_KERNELS_ARITHMETIC_H_
#define QAT_RUNTIME_KERNELS_ARITHMETIC_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "quant/fixed_point.h"

namespace qat {

/// a + b modulo 2^32: TFLite lets its accumulators wrap, and a hostile file must not reach undefined
/// behaviour.
inline int32_t WrappingAdd(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}
/// The same modulo 2^64.
inline int64_t WrappingAdd(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

/// A sum brought to the scale of the output: 64-bit ones by 16 bits of the multiplier, as TFLite does.
inline int32_t Requantize(int32_t acc, FixedPointMultiplier multiplier) {
  return MultiplyByQuantizedMultiplier(acc, multiplier);
}
inline int32_t Requantize(int64_t acc, FixedPointMultiplier multiplier) {
  return MultiplyWideByQuantizedMultiplier(acc, multiplier);
}

/// round(value), half away from zero, within [-limit, limit]; NaN, which scales from a hostile file can give,
/// is 0.
/// Requires limit <= 2^30.
inline int32_t RoundWithin(float value, float limit) {
  return std::isnan(value) ? 0 : static_cast<int32_t>(std::clamp(std::round(value), -limit, limit));
}

/// Clamp of a fused activation on reals. Open ends are the largest finite floats, as in TFLite.
struct FloatArithmetic {
  using Element = float;
  using Filter = float;
  using Result = float;
  using Accumulator = float;
  using Bias = float;
  float activation_min = std::numeric_limits<float>::lowest();
  float activation_max = std::numeric_limits<float>::max();

  float Product(float input, float filter) const { return input * filter; }
  static float Add(float acc, float product) { return acc + product; }
  float Output(float acc, int64_t = 0) const {
    return std::min(std::max(acc, activation_min), activation_max);
  }
};

/// Every arithmetic has Output(acc, channel), which is a Result; `channel` matters to those with a multiplier
/// for each.
/// real = scale * (quantized - zero_point) on both operands of every product. Inputs and outputs are T,
/// filters F, sums and biases Sum: int16 activations have int8 filters and mostly 64-bit sums.
template <class T, class F = T, class Sum = int32_t>
struct QuantizedArithmetic {
  using Element = T;
  using Filter = F;
  using Result = T;
  using Accumulator = Sum;
  using Bias = Sum;
  int32_t input_offset = 0;   ///< minus the input's zero point
  int32_t filter_offset = 0;  ///< minus the filter's
  int32_t output_offset = 0;  ///< plus the output's
  int32_t activation_min = 0;
  int32_t activation_max = 0;

  int32_t Product(T input, F filter) const { return (input + input_offset) * (filter + filter_offset); }
  static Sum Add(Sum acc, Sum product) { return WrappingAdd(acc, product); }
  T Clamp(int32_t requantized) const {
    return static_cast<T>(
        std::clamp(WrappingAdd(requantized, output_offset), activation_min, activation_max));
  }
};

/// Requantizes by the 31-bit multiplier, rounded twice: convolutions; every operator in the classic profile.
template <class T, class F = T, class Sum = int32_t>
struct FixedPointArithmetic : QuantizedArithmetic<T, F, Sum> {
  FixedPointMultiplier multiplier;
  T Output(Sum acc, int64_t = 0) const { return this->Clamp(Requantize(acc, multiplier)); }
};

/// The same with a multiplier for each output channel: int8 filters, which may be quantized per axis.
template <class T, class F = T, class Sum = int32_t>
struct ChannelFixedPointArithmetic : QuantizedArithmetic<T, F, Sum> {
  std::vector<FixedPointMultiplier> multipliers;
  T Output(Sum acc, int64_t channel) const {
    return this->Clamp(Requantize(acc, multipliers[static_cast<size_t>(channel)]));
  }
};

/// Of float models with 8-bit filters: inputs are quantized as they come, sums become reals again.
struct HybridArithmetic {
  using Element = int8_t;
  using Filter = int8_t;
  using Result = float;
  using Accumulator = int32_t;
  using Bias = float;
  int32_t input_offset = 0;  ///< minus the zero point of the inputs
  float input_scale = 1;
  std::span<const float> filter_scales;  ///< one, or one per output channel
  /// sum * filter scale * input scale; else the scales are multiplied first
  bool channel_scale_first = false;
  const float* bias = nullptr;  ///< added here, as it is no sum's unit
  FloatArithmetic clamp;

  int32_t Product(int8_t input, int8_t filter) const { return (input + input_offset) * filter; }
  static int32_t Add(int32_t acc, int32_t product) { return WrappingAdd(acc, product); }
  float Output(int32_t acc, int64_t channel) const {
    const float scale = filter_scales[filter_scales.size() == 1 ? 0 : static_cast<size_t>(channel)];
    const auto sum = static_cast<float>(acc);
    const float value = channel_scale_first ? sum * scale * input_scale : sum * (scale * input_scale);
    return clamp.Output(bias == nullptr ? value : value + bias[channel]);
  }
};

/// acc * real_multiplier, rounded half away from zero. A product outside int32 saturates (undefined in
/// TFLite).
template <class Sum>
int32_t MultiplyByDouble(Sum acc, double real_multiplier) {
  constexpr double kLimit = 1 << 30;
  return static_cast<int32_t>(
      std::clamp(std::round(static_cast<double>(acc) * real_multiplier), -kLimit, kLimit));
}

/// Requantizes by one double product: fully connected layers in TFLite's reference kernels since April 2025.
template <class T, class F = T, class Sum = int32_t>
struct DoubleArithmetic : QuantizedArithmetic<T, F, Sum> {
  double real_multiplier = 0;
  T Output(Sum acc, int64_t = 0) const { return this->Clamp(MultiplyByDouble(acc, real_multiplier)); }
};

/// The same with a multiplier for each output channel.
template <class T, class F = T, class Sum = int32_t>
struct ChannelDoubleArithmetic : QuantizedArithmetic<T, F, Sum> {
  std::vector<double> real_multipliers;
  T Output(Sum acc, int64_t channel) const {
    return this->Clamp(MultiplyByDouble(acc, real_multipliers[static_cast<size_t>(channel)]));
  }
};

}  // namespace qat

#endif  // QAT_RUNTIME_KERNELS_ARITHMETIC_H_
