// quantization.h: what Prepare requires of quantized tensors: the same rules for all operators.
#ifndef QAT_RUNTIME_KERNELS_QUANTIZATION_H_
#define QAT_RUNTIME_KERNELS_QUANTIZATION_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "quant/params.h"
#include "runtime/kernels/arithmetic.h"
#include "runtime/kernels/kernel.h"

namespace qat {

/// Ends of an integer element type.
template <class T>
constexpr QuantizedLimits LimitsOf() {
  return {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
}

/// The same of a type of quantized values: uint8, int8 or int16.
QuantizedLimits LimitsOf(DType type);

/// The one (scale, zero_point) of a tensor. `what` names it in messages: "filter".
/// Errors: kCorrupt (not quantized, scale not positive, zero point outside `limits`), kUnsupported
///           (per-axis, int16 with another zero point than 0).
Expected<QuantizationParams> PerTensorParams(const KernelTensor& tensor, std::string_view what,
                                             QuantizedLimits limits);

/// Checks that the output of a pool, a reshape or a softmax follows the rule of its OpDefinition: the input's
/// parameters, or the fixed ones within 0.1 %. Errors: kCorrupt. Float tensors pass.
Status CheckOutputQuantization(const KernelContext& context, QuantizedLimits limits);

/// Fused activation in quantized units: round(end / scale) + zero_point in float32, within `limits`.
/// Source    tflite/kernels/kernel_util.cc, CalculateActivationRangeQuantized.
QuantizedLimits QuantizedActivationRange(Activation activation, QuantizationParams output,
                                         QuantizedLimits limits);

/// The same on reals.
FloatArithmetic FloatActivationRange(Activation activation);

/// Quantization of the three tensors of a multiply-accumulate operator.
struct MacScales {
  QuantizationParams input;
  QuantizationParams filter;
  QuantizationParams output;
};

/// Reads them, and checks that the bias has the zero point 0 and the scale input * filter. Errors: kCorrupt,
/// kUnsupported.
Expected<MacScales> ReadMacScales(const KernelContext& context, QuantizedLimits limits);

/// Scales of a filter that may be quantized per axis, and what goes with them.
struct ChannelScales {
  QuantizationParams input;
  std::vector<float> filter;  ///< one per output channel
  QuantizationParams output;
};

/// Reads them for int8 or int16 activations and an int8 filter whose output channels lie along dimension
/// `axis`: one scale for all or one per channel, all zero points 0, bias with zero point 0. Errors: kCorrupt,
/// kUnsupported.
Expected<ChannelScales> ReadChannelScales(const KernelContext& context, int32_t axis);

/// input_scale * filter_scale[c] / output_scale in double, left to right. Errors: kCorrupt where one is 2^30
/// or more.
Expected<std::vector<double>> ChannelRealMultipliers(const ChannelScales& scales);
/// The same as 31-bit multipliers.
Expected<std::vector<FixedPointMultiplier>> ChannelMultipliers(const ChannelScales& scales);

/// Checks that filter and output have the type of the input, that the bias (if any) has the type `bias`, and
/// that it has one value per output channel along `channel_axis` of the filter. Filters of int16 activations
/// are int8.
/// Errors: kCorrupt, kUnsupported.
Status CheckMacTypes(const KernelContext& context, DType bias, size_t channel_axis = 0);

/// Type of the sums and of the bias with int16 activations: int64 unless the option `quantized_bias_type`
/// says int32.
/// Errors: kUnsupported (another type; a bias of another type than the sums).
Expected<DType> SumTypeOfInt16(const KernelContext& context, DType quantized_bias_type);

/// True if filter and bias (where there is one) are known in Prepare.
bool HasConstantFilter(const KernelContext& context);
/// The values of a constant int32 bias; empty where there is none.
std::span<const int32_t> ConstantBias(const KernelContext& context);

/// Offsets and clamp of a quantized multiply-accumulate operator.
template <class T, class F, class Sum>
void SetOffsets(QuantizationParams input, QuantizationParams output, Activation activation,
                QuantizedArithmetic<T, F, Sum>& arithmetic) {
  const QuantizedLimits clamp = QuantizedActivationRange(activation, output, LimitsOf<T>());
  arithmetic.input_offset = -input.zero_point;
  arithmetic.output_offset = output.zero_point;
  arithmetic.activation_min = clamp.quant_min;
  arithmetic.activation_max = clamp.quant_max;
}
template <class T, class F, class Sum>
void SetOffsets(const MacScales& scales, Activation activation, QuantizedArithmetic<T, F, Sum>& arithmetic) {
  SetOffsets(scales.input, scales.output, activation, arithmetic);
  arithmetic.filter_offset = -scales.filter.zero_point;
}

/// input_scale * filter_scale / output_scale as a 31-bit multiplier; the first product in float32, as
/// TFLite's uint8 kernels form it. Errors: kCorrupt where it is 2^30 or more.
Expected<FixedPointMultiplier> MacMultiplier(const MacScales& scales);

/// The same product, all in double: what reference fully connected multiplies with. Errors: the same.
Expected<double> MacRealMultiplier(const MacScales& scales);

/// A real multiplier in fixed point. `what` names it in messages. Errors: kCorrupt where it is 2^30 or more.
Expected<FixedPointMultiplier> CheckedMultiplier(double real_multiplier, std::string_view what);

/// Offsets, clamp and multipliers of int16 activations with an int8 filter, as the convolutions have them.
/// Errors: kCorrupt, kUnsupported.
template <class Sum>
Expected<ChannelFixedPointArithmetic<int16_t, int8_t, Sum>> ReadInt16Arithmetic(const KernelContext& context,
                                                                                int32_t axis) {
  QAT_ASSIGN_OR_RETURN(const ChannelScales scales, ReadChannelScales(context, axis));
  ChannelFixedPointArithmetic<int16_t, int8_t, Sum> arithmetic;
  SetOffsets(scales.input, scales.output, FusedActivation(context.attributes), arithmetic);
  QAT_ASSIGN_OR_RETURN(arithmetic.multipliers, ChannelMultipliers(scales));
  return arithmetic;
}

/// For operators that only move values: checks that an 8-bit or int16 output has the parameters of `input`.
/// Other types, and tensors without parameters, pass. Errors: kCorrupt.
Status CheckMovedQuantization(const KernelTensor& input, const KernelTensor& output);

/// kUnsupported: "input float16, filter int8, output int8 have no kernel".
Error UnsupportedTypes(const KernelContext& context);

}  // namespace qat

#endif  // QAT_RUNTIME_KERNELS_QUANTIZATION_H_
