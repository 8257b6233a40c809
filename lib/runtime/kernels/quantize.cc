// Prepare of QUANTIZE and DEQUANTIZE.
#include <algorithm>

#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/lookup.h"
#include "runtime/kernels/table.h"

namespace qat {
namespace {

template <class Out>
Expected<std::unique_ptr<Kernel>> QuantizeReals(const KernelContext& context) {
  constexpr QuantizedLimits kLimits = LimitsOf<Out>();
  QAT_ASSIGN_OR_RETURN(const QuantizationParams output, PerTensorParams(context.output, "output", kLimits));
  const int64_t count = FlatSize(context.output.shape);
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    std::transform(io.input<float>(0), io.input<float>(0) + count, io.output<Out>(), [=](float real) {
      return static_cast<Out>(QuantizeActivation(real, output, LimitsOf<Out>()));
    });
  });
}

// From one pair of parameters to another, by the ratio of the scales.
template <class In, class Out>
Expected<std::unique_ptr<Kernel>> Requantize(const KernelContext& context) {
  constexpr QuantizedLimits kLimits = LimitsOf<Out>();
  QAT_ASSIGN_OR_RETURN(const QuantizationParams input,
                       PerTensorParams(*context.inputs[0], "input", LimitsOf<In>()));
  QAT_ASSIGN_OR_RETURN(const QuantizationParams output, PerTensorParams(context.output, "output", kLimits));
  QAT_ASSIGN_OR_RETURN(const FixedPointMultiplier multiplier,
                       CheckedMultiplier(static_cast<double>(input.scale) / static_cast<double>(output.scale),
                                         "input scale over output scale"));
  return MakeTableKernel(
      context, reference::MakeLookupTable<In, uint8_t>([&](int32_t q) {
        const int32_t value = MultiplyByQuantizedMultiplier(q - input.zero_point, multiplier);
        return std::clamp(WrappingAdd(value, output.zero_point), kLimits.quant_min, kLimits.quant_max);
      }));
}

template <class Out>
Expected<std::unique_ptr<Kernel>> QuantizeTo(const KernelContext& context) {
  switch (context.inputs[0]->type) {
    case DType::kFloat32:
      return QuantizeReals<Out>(context);
    case DType::kUInt8:
      return Requantize<uint8_t, Out>(context);
    case DType::kInt8:
      return Requantize<int8_t, Out>(context);
    default:
      return UnsupportedTypes(context);
  }
}

Expected<std::unique_ptr<Kernel>> PrepareQuantize(const KernelContext& context) {
  if (context.output.type == DType::kUInt8) return QuantizeTo<uint8_t>(context);
  if (context.output.type == DType::kInt8) return QuantizeTo<int8_t>(context);
  return UnsupportedTypes(context);
}

template <class In>
Expected<std::unique_ptr<Kernel>> DequantizeFrom(const KernelContext& context) {
  QAT_ASSIGN_OR_RETURN(const QuantizationParams input,
                       PerTensorParams(*context.inputs[0], "input", LimitsOf<In>()));
  const auto table = reference::MakeLookupTable<In, float>([&](int32_t q) { return Dequantize(q, input); });
  const int64_t count = FlatSize(context.output.shape);
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    reference::Lookup(count, table, io.inputs[0], io.output<float>());
  });
}

Expected<std::unique_ptr<Kernel>> PrepareDequantize(const KernelContext& context) {
  if (context.output.type != DType::kFloat32) return UnsupportedTypes(context);
  if (context.inputs[0]->type == DType::kUInt8) return DequantizeFrom<uint8_t>(context);
  if (context.inputs[0]->type == DType::kInt8) return DequantizeFrom<int8_t>(context);
  return UnsupportedTypes(context);
}

}  // namespace

// Other versions brought other types and scales per axis, which Prepare refuses.
const OpKernels& QuantizeKernels() {
  static const OpKernels kKernels = {PrepareQuantize, 3};
  return kKernels;
}
const OpKernels& DequantizeKernels() {
  static const OpKernels kKernels = {PrepareDequantize, 5};
  return kKernels;
}

}  // namespace qat
