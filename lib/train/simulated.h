// simulated.h: a quantized tensor in LibTorch, and the runtime's rounding over it. Values are integers in
// float64, where every sum of products below 2^53 is exact; requantization is lib/quant's, in int32 and
// int64. Nothing here is shared with the runtime's kernels: it is an independent check of what they should
// compute.
#ifndef QAT_TRAIN_SIMULATED_H_
#define QAT_TRAIN_SIMULATED_H_

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "ops/attributes.h"
#include "quant/precision.h"

namespace qat {

/// Quantized values, float64 holding whole numbers. Rank 4 is [N, C, H, W], as everywhere in lib/train.
struct SimulatedTensor {
  at::Tensor values;
  QuantizationParams params;
};

/// A filter on its grid, and the bias in units of input_scale * filter_scale.
struct SimulatedFilter {
  at::Tensor values;  ///< float64, zero point subtracted; output channels are the first axis
  std::vector<QuantizationParams> params;  ///< one, or one per output channel
  at::Tensor bias;                         ///< float64 [O], whole int32 numbers
};

/// Quantizes a filter (float32, output channels first) by QuantizeFakeQuant, slice c by params[c], and its
/// bias by QuantizeBias.
SimulatedFilter SimulateFilter(const at::Tensor& filter, const at::Tensor& bias,
                               std::vector<QuantizationParams> params, QuantizedLimits limits,
                               float input_scale);

/// Applies an int32 -> int32 function to every whole number of a float64 tensor.
at::Tensor MapIntegers(const at::Tensor& values, const std::function<int32_t(int32_t)>& f);

/// Ends of the fused activation in quantized units: zero_point + round(end / scale) in float32, within
/// `limits`.
/// Source    tflite/kernels/kernel_util.cc, CalculateActivationRangeQuantized.
QuantizedLimits ActivationLimits(Activation activation, QuantizationParams output, QuantizedLimits limits);

/// Where the sums of a layer with a filter go.
struct SimulatedOutput {
  QuantizationParams params;
  Precision precision = ActivationsOf(DType::kUInt8);
  Activation activation = Activation::kNone;
};

/// Convolution's rule: clamp(MultiplyByQuantizedMultiplier(acc) + zero_point) with the multiplier of
///   activations uint8: float32(input_scale * filter_scale) / output_scale;
///   activations int8:  input_scale * filter_scale[c] / output_scale, all in double.
/// Shapes    acc [N, O, …], whole numbers within int32.
at::Tensor RequantizeByMultiplier(const at::Tensor& acc, float input_scale, const SimulatedFilter& filter,
                                  const SimulatedOutput& output);

/// Fully connected's rule in the default profile: clamp(round(acc * (input_scale * filter_scale /
/// output_scale)) + zero_point) in double, half away from zero. Shapes as above.
at::Tensor RequantizeByDouble(const at::Tensor& acc, float input_scale, const SimulatedFilter& filter,
                              const SimulatedOutput& output);

}  // namespace qat

#endif  // QAT_TRAIN_SIMULATED_H_
