// Prepare of QUANTIZE and DEQUANTIZE.
#include <algorithm>
#include <type_traits>

#include "base/half.h"
#include "base/slices.h"
#include "base/strings.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/lookup.h"
#include "runtime/kernels/simd/matrix.h"
#include "runtime/kernels/table.h"

namespace qat {
namespace {

// Scale and zero point of every slice of an axis, and how values lie along it.
struct SliceParams {
  std::vector<QuantizationParams> slices;
  int64_t outer = 1;
  int64_t inner = 1;
};

Expected<SliceParams> ReadSliceParams(const KernelTensor& tensor, std::string_view what,
                                      QuantizedLimits limits) {
  SliceParams params;
  if (tensor.scale.empty()) return Corrupt(StrCat(what, " of type ", NameOf(tensor.type), " has no scale"));
  for (size_t i = 0; i < tensor.scale.size(); ++i) {
    KernelTensor slice = tensor;
    slice.scale = tensor.scale.subspan(i, 1);
    slice.zero_point = tensor.zero_point.subspan(i, 1);
    QAT_ASSIGN_OR_RETURN(const QuantizationParams read, PerTensorParams(slice, what, limits));
    params.slices.push_back(read);
  }
  if (params.slices.size() == 1) {
    params.inner = FlatSize(tensor.shape);
    return params;
  }
  const auto axis = static_cast<size_t>(tensor.quantized_dimension);
  for (size_t i = 0; i < axis; ++i) params.outer *= tensor.shape[i];
  params.inner = static_cast<int64_t>(InnerSize(tensor.shape, axis));
  return params;
}

// output[i] = convert(input[i], parameters), over the threads.
template <class In, class Out, class F>
std::unique_ptr<Kernel> MakeOneSlice(const KernelContext& context, QuantizationParams params, int64_t count,
                                     F convert) {
  constexpr int64_t kRun = 4096, kWorkOfAValue = 8;  // values; multiply-accumulates (estimate)
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    ForRuns(io.pool, count * kWorkOfAValue, count, kRun, [&](int64_t begin, int64_t end, int) {
      const In* input = io.input<In>(0);
      Out* output = io.output<Out>();
      for (int64_t i = begin; i < end; ++i) output[i] = convert(input[i], params);
    });
  });
}

// output[i] = convert(input[i], parameters of its slice).
template <class In, class Out, class F>
std::unique_ptr<Kernel> MakeSliceBySlice(const KernelContext& context, SliceParams params, F convert) {
  if (params.slices.size() == 1)
    return MakeOneSlice<In, Out>(context, params.slices[0], params.inner, convert);
  return MakeKernel(context, "reference", [params = std::move(params), convert](const KernelBuffers& io) {
    const In* input = io.input<In>(0);
    Out* output = io.output<Out>();
    for (int64_t outer = 0; outer < params.outer; ++outer) {
      for (const QuantizationParams& slice : params.slices) {
        for (int64_t i = 0; i < params.inner; ++i) *output++ = convert(*input++, slice);
      }
    }
  });
}

template <class Out>
Expected<std::unique_ptr<Kernel>> QuantizeReals(const KernelContext& context) {
  QAT_ASSIGN_OR_RETURN(SliceParams params, ReadSliceParams(context.output, "output", LimitsOf<Out>()));
  return MakeSliceBySlice<float, Out>(context, std::move(params), [](float real, QuantizationParams slice) {
    return static_cast<Out>(QuantizeActivation(real, slice, LimitsOf<Out>()));
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
  const auto requantize = [=](int32_t q) {
    const int32_t value = MultiplyByQuantizedMultiplier(q - input.zero_point, multiplier);
    return static_cast<Out>(
        std::clamp(WrappingAdd(value, output.zero_point), kLimits.quant_min, kLimits.quant_max));
  };
  if constexpr (sizeof(In) == 1 && sizeof(Out) == 1) {
    return MakeTableKernel(context, reference::MakeLookupTable<In, uint8_t>(requantize));
  } else {
    return MakeOneSlice<In, Out>(context, input, FlatSize(context.output.shape),
                                 [=](In q, QuantizationParams) { return requantize(q); });
  }
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
    case DType::kInt16:
      if constexpr (std::is_same_v<Out, uint8_t>) return UnsupportedTypes(context);
      return Requantize<int16_t, Out>(context);
    default:
      return UnsupportedTypes(context);
  }
}

Expected<std::unique_ptr<Kernel>> PrepareQuantize(const KernelContext& context) {
  if (context.output.type == DType::kUInt8) return QuantizeTo<uint8_t>(context);
  if (context.output.type == DType::kInt8) return QuantizeTo<int8_t>(context);
  if (context.output.type == DType::kInt16) return QuantizeTo<int16_t>(context);
  return UnsupportedTypes(context);
}

template <class In>
Expected<std::unique_ptr<Kernel>> DequantizeFrom(const KernelContext& context) {
  QAT_ASSIGN_OR_RETURN(SliceParams params, ReadSliceParams(*context.inputs[0], "input", LimitsOf<In>()));
  return MakeSliceBySlice<In, float>(context, std::move(params),
                                     [](In q, QuantizationParams slice) { return Dequantize(q, slice); });
}

// Weights that a converter stored in half the bytes.
std::unique_ptr<Kernel> WidenHalves(const KernelContext& context) {
  const int64_t count = FlatSize(context.output.shape);
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    std::transform(io.input<uint16_t>(0), io.input<uint16_t>(0) + count, io.output<float>(), HalfToFloat);
  });
}

Expected<std::unique_ptr<Kernel>> PrepareDequantize(const KernelContext& context) {
  if (context.output.type != DType::kFloat32) return UnsupportedTypes(context);
  if (context.inputs[0]->type == DType::kUInt8) return DequantizeFrom<uint8_t>(context);
  if (context.inputs[0]->type == DType::kInt8) return DequantizeFrom<int8_t>(context);
  if (context.inputs[0]->type == DType::kInt16) return DequantizeFrom<int16_t>(context);
  if (context.inputs[0]->type == DType::kFloat16) return WidenHalves(context);
  return UnsupportedTypes(context);
}

}  // namespace

// Later versions brought other types, which Prepare refuses, and scales per axis.
const OpKernels& QuantizeKernels() {
  static const OpKernels kKernels = {PrepareQuantize, 6};
  return kKernels;
}
const OpKernels& DequantizeKernels() {
  static const OpKernels kKernels = {PrepareDequantize, 9};
  return kKernels;
}

}  // namespace qat
