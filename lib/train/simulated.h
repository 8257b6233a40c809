// simulated.h: a quantized tensor in LibTorch, and the runtime's rounding over it. Values are integers in
// float64, where every sum of products below 2^53 is exact; requantization is lib/quant's, in int32 and
// int64. Nothing here is shared with the runtime's kernels: it is an independent witness of what they should
// compute.
#ifndef QAT_TRAIN_SIMULATED_H_
#define QAT_TRAIN_SIMULATED_H_

#include <ATen/core/Tensor.h>

#include "ops/attributes.h"
#include "quant/params.h"

namespace qat {

/// Quantized values, float64 holding whole numbers. Rank 4 is [N, C, H, W], as everywhere in lib/train.
struct SimulatedTensor {
  at::Tensor values;
  QuantizationParams params;
};

/// A filter on its grid, and the bias in units of input_scale * filter_scale.
struct SimulatedFilter {
  at::Tensor values;  ///< float64, zero point not yet subtracted
  QuantizationParams params;
  at::Tensor bias;  ///< float64 [O], whole int32 numbers
};

/// Quantizes a filter (float32) by QuantizeFakeQuant and its bias by QuantizeBias.
SimulatedFilter SimulateFilter(const at::Tensor& filter, const at::Tensor& bias,
                               QuantizationParams filter_params, float input_scale);

/// Ends of the fused activation in quantized units: zero_point + round(end / scale) in float32, within uint8.
/// Source    tflite/kernels/kernel_util.cc, CalculateActivationRangeQuantized.
QuantizedLimits ActivationLimits(Activation activation, QuantizationParams output);

/// Convolution's rule: clamp(MultiplyByQuantizedMultiplier(acc) + zero_point), the multiplier of
/// float32(input_scale * filter_scale) / output_scale. Requires acc whole and within int32.
at::Tensor RequantizeByMultiplier(const at::Tensor& acc, float input_scale, float filter_scale,
                                  QuantizationParams output, Activation activation);

/// Fully connected's rule in the default profile: clamp(round(acc * (input_scale * filter_scale /
/// output_scale)) + zero_point) in double, half away from zero.
at::Tensor RequantizeByDouble(const at::Tensor& acc, float input_scale, float filter_scale,
                              QuantizationParams output, Activation activation);

}  // namespace qat

#endif  // QAT_TRAIN_SIMULATED_H_
