#include "runtime/kernels/quantization.h"

#include <algorithm>
#include <cmath>

#include "base/strings.h"

namespace qat {
namespace {

bool IsNear(float value, float expected, double relative) {
  return std::abs(static_cast<double>(value) - expected) <= relative * expected;
}

Status CheckZeroPoints(const KernelTensor& tensor, std::string_view what) {
  for (int64_t zero_point : tensor.zero_point) {
    if (zero_point != 0) return Corrupt(StrCat(what, " zero point is ", zero_point, ", expected 0"));
  }
  return {};
}

// TFLite computes with input_scale * filter_scale whatever the bias says; it accepts a bias scale that
// moves the output by at most 0.02 steps per unit of bias.
Status CheckBiasScale(const KernelTensor& bias, const MacScales& scales) {
  QAT_RETURN_IF_ERROR(CheckZeroPoints(bias, "bias"));
  const double product = scales.input.scale * scales.filter.scale;
  const double bias_scale = bias.scale.empty() ? 0.0 : static_cast<double>(bias.scale[0]);
  if (std::abs(product - bias_scale) / static_cast<double>(scales.output.scale) <= 0.02) return {};
  return Corrupt(
      StrCat("bias scale is ", bias_scale, ", expected input scale times filter scale, ", product));
}

Status CheckMultiplier(double real_multiplier, std::string_view what) {
  if (real_multiplier < double{1 << 30}) return {};
  return Corrupt(StrCat(what, " is ", real_multiplier, ", expected below 2^30"));
}

constexpr std::string_view kMacMultiplier = "input scale times filter scale over output scale";

Status ExpectParams(QuantizationParams output, QuantizationParams expected, double tolerance) {
  if (IsNear(output.scale, expected.scale, tolerance) && output.zero_point == expected.zero_point) return {};
  return Corrupt(StrCat("output scale ", output.scale, " and zero point ", output.zero_point, ", expected ",
                        expected.scale, " and ", expected.zero_point));
}

}  // namespace

QuantizedLimits LimitsOf(DType type) {
  if (type == DType::kInt16) return LimitsOf<int16_t>();
  return type == DType::kInt8 ? LimitsOf<int8_t>() : LimitsOf<uint8_t>();
}

Expected<QuantizationParams> PerTensorParams(const KernelTensor& tensor, std::string_view what,
                                             QuantizedLimits limits) {
  if (tensor.scale.empty()) {
    return Corrupt(StrCat(what, " of type ", NameOf(tensor.type), " has no scale and zero point"));
  }
  if (tensor.scale.size() != 1)
    return Unsupported(StrCat(what, " of type ", NameOf(tensor.type), " is quantized per axis"));
  const float scale = tensor.scale[0];
  if (!(scale > 0) || !std::isfinite(scale))
    return Corrupt(StrCat(what, " scale is ", scale, ", expected > 0"));
  const int64_t zero_point = tensor.zero_point[0];
  if (zero_point < limits.quant_min || zero_point > limits.quant_max) {
    return Corrupt(StrCat(what, " zero point is ", zero_point, ", expected ", limits.quant_min, " to ",
                          limits.quant_max));
  }
  if (tensor.type == DType::kInt16 && zero_point != 0)
    return Unsupported(StrCat(what, " of type int16 has the zero point ", zero_point, ", expected 0"));
  return QuantizationParams{scale, static_cast<int32_t>(zero_point)};
}

Status CheckOutputQuantization(const KernelContext& context, QuantizedLimits limits) {
  const OutputQuantization rule = context.definition.output_quantization;
  if (rule != OutputQuantization::kSameAsInput && rule != OutputQuantization::kFixed) return {};
  QAT_ASSIGN_OR_RETURN(const QuantizationParams output, PerTensorParams(context.output, "output", limits));
  // int8 is uint8 shifted by 128; int16 has 128 of its steps, around 0.
  QuantizationParams expected = context.definition.fixed_uint8;
  if (context.output.type == DType::kInt16) {
    expected = {expected.scale / 128, 0};
  } else {
    expected.zero_point += limits.quant_min;
  }
  double tolerance = 1e-3;
  if (rule == OutputQuantization::kSameAsInput) {
    QAT_ASSIGN_OR_RETURN(expected, PerTensorParams(*context.inputs[0], "input", limits));
    tolerance = 1e-6;
  }
  return ExpectParams(output, expected, tolerance);
}

QuantizedLimits QuantizedActivationRange(Activation activation, QuantizationParams output,
                                         QuantizedLimits limits) {
  const Range range = ActivationRange(activation);
  const auto quantize = [&](float real, int32_t open) {
    return std::isfinite(real) ? QuantizeActivation(real, output, limits) : open;
  };
  return {quantize(range.min, limits.quant_min), quantize(range.max, limits.quant_max)};
}

FloatArithmetic FloatActivationRange(Activation activation) {
  const Range range = ActivationRange(activation);
  FloatArithmetic arithmetic;
  arithmetic.activation_min = std::max(arithmetic.activation_min, range.min);
  arithmetic.activation_max = std::min(arithmetic.activation_max, range.max);
  return arithmetic;
}

Status CheckMacTypes(const KernelContext& context, DType bias, size_t channel_axis) {
  const DType element = context.inputs[0]->type;
  const DType filter = element == DType::kInt16 ? DType::kInt8 : element;
  if (context.inputs[1]->type != filter || context.output.type != element) return UnsupportedTypes(context);
  const KernelTensor* bias_tensor = context.input(2);
  if (bias_tensor == nullptr) return {};
  if (bias_tensor->type != bias) {
    return Unsupported(StrCat("bias of type ", NameOf(bias_tensor->type), ", expected ", NameOf(bias)));
  }
  const int32_t channels = context.inputs[1]->shape[channel_axis];
  if (FlatSize(bias_tensor->shape) != channels) {
    return Corrupt(
        StrCat("bias has ", FlatSize(bias_tensor->shape), " values, the filter ", channels, " outputs"));
  }
  return {};
}

Expected<MacScales> ReadMacScales(const KernelContext& context, QuantizedLimits limits) {
  MacScales scales;
  QAT_ASSIGN_OR_RETURN(scales.input, PerTensorParams(*context.inputs[0], "input", limits));
  const QuantizedLimits filter_limits = LimitsOf(context.inputs[1]->type);
  QAT_ASSIGN_OR_RETURN(scales.filter, PerTensorParams(*context.inputs[1], "filter", filter_limits));
  QAT_ASSIGN_OR_RETURN(scales.output, PerTensorParams(context.output, "output", limits));
  if (const KernelTensor* bias = context.input(2)) QAT_RETURN_IF_ERROR(CheckBiasScale(*bias, scales));
  return scales;
}

Expected<ChannelScales> ReadChannelScales(const KernelContext& context, int32_t axis) {
  ChannelScales scales;
  const QuantizedLimits limits = LimitsOf(context.inputs[0]->type);
  QAT_ASSIGN_OR_RETURN(scales.input, PerTensorParams(*context.inputs[0], "input", limits));
  QAT_ASSIGN_OR_RETURN(scales.output, PerTensorParams(context.output, "output", limits));
  if (const KernelTensor* bias = context.input(2)) QAT_RETURN_IF_ERROR(CheckZeroPoints(*bias, "bias"));
  const KernelTensor& filter = *context.inputs[1];
  QAT_RETURN_IF_ERROR(CheckZeroPoints(filter, "filter"));
  const auto channels = static_cast<size_t>(filter.shape[static_cast<size_t>(axis)]);
  if (filter.scale.empty()) return Corrupt("filter of type int8 has no scale and zero point");
  if (filter.scale.size() == 1) {
    scales.filter.assign(channels, filter.scale[0]);
    return scales;
  }
  if (filter.quantized_dimension != axis || filter.scale.size() != channels) {
    return Corrupt(StrCat("filter has ", filter.scale.size(), " scales along dimension ",
                          filter.quantized_dimension, ", expected ", channels, " along ", axis));
  }
  scales.filter.assign(filter.scale.begin(), filter.scale.end());
  return scales;
}

Expected<std::vector<double>> ChannelRealMultipliers(const ChannelScales& scales) {
  std::vector<double> multipliers;
  for (const float filter : scales.filter) {
    multipliers.push_back(static_cast<double>(scales.input.scale) * static_cast<double>(filter) /
                          static_cast<double>(scales.output.scale));
    QAT_RETURN_IF_ERROR(CheckMultiplier(multipliers.back(), kMacMultiplier));
  }
  return multipliers;
}

Expected<std::vector<FixedPointMultiplier>> ChannelMultipliers(const ChannelScales& scales) {
  QAT_ASSIGN_OR_RETURN(const std::vector<double> real, ChannelRealMultipliers(scales));
  std::vector<FixedPointMultiplier> multipliers;
  for (const double multiplier : real) multipliers.push_back(QuantizeMultiplier(multiplier));
  return multipliers;
}

Expected<DType> SumTypeOfInt16(const KernelContext& context, DType quantized_bias_type) {
  const bool given = quantized_bias_type != DType::kFloat32;
  const DType sums = given ? quantized_bias_type : DType::kInt64;
  if (sums != DType::kInt32 && sums != DType::kInt64)
    return Unsupported(StrCat("option quantized_bias_type is ", NameOf(sums), ", expected int32 or int64"));
  const KernelTensor* bias = context.input(2);
  if (bias == nullptr || bias->type == sums) return sums;
  return Unsupported(
      StrCat("bias of type ", NameOf(bias->type), ", expected ", NameOf(sums),
             given ? " as the option quantized_bias_type says" : " without the option quantized_bias_type"));
}

bool HasConstantFilter(const KernelContext& context) {
  const KernelTensor* bias = context.input(2);
  return !context.inputs[1]->constant.empty() && (bias == nullptr || !bias->constant.empty());
}

std::span<const int32_t> ConstantBias(const KernelContext& context) {
  const KernelTensor* bias = context.input(2);
  if (bias == nullptr) return {};
  return {reinterpret_cast<const int32_t*>(bias->constant.data()), bias->constant.size() / sizeof(int32_t)};
}

Expected<FixedPointMultiplier> MacMultiplier(const MacScales& scales) {
  const float product = scales.input.scale * scales.filter.scale;
  const double real_multiplier = static_cast<double>(product) / static_cast<double>(scales.output.scale);
  return CheckedMultiplier(real_multiplier, kMacMultiplier);
}

Expected<FixedPointMultiplier> CheckedMultiplier(double real_multiplier, std::string_view what) {
  QAT_RETURN_IF_ERROR(CheckMultiplier(real_multiplier, what));
  return QuantizeMultiplier(real_multiplier);
}

Status CheckMovedQuantization(const KernelTensor& input, const KernelTensor& output) {
  if (output.type != DType::kUInt8 && output.type != DType::kInt8 && output.type != DType::kInt16) return {};
  if (input.scale.empty() && output.scale.empty()) return {};
  const QuantizedLimits limits = LimitsOf(output.type);
  QAT_ASSIGN_OR_RETURN(const QuantizationParams from, PerTensorParams(input, "input", limits));
  QAT_ASSIGN_OR_RETURN(const QuantizationParams to, PerTensorParams(output, "output", limits));
  return ExpectParams(to, from, 1e-6);
}

Expected<double> MacRealMultiplier(const MacScales& scales) {
  const double real_multiplier = static_cast<double>(scales.input.scale) *
                                 static_cast<double>(scales.filter.scale) /
                                 static_cast<double>(scales.output.scale);
  QAT_RETURN_IF_ERROR(CheckMultiplier(real_multiplier, kMacMultiplier));
  return real_multiplier;
}

Error UnsupportedTypes(const KernelContext& context) {
  std::string types;
  for (const KernelTensor* input : context.inputs) {
    if (!types.empty()) types += ", ";
    types += input == nullptr ? "none" : std::string(NameOf(input->type));
  }
  return Unsupported(
      StrCat("no kernel for inputs of type ", types, " and output of type ", NameOf(context.output.type)));
}

}  // namespace qat
