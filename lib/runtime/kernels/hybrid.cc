#include "runtime/kernels/hybrid.h"

#include "base/strings.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/conv_2d.h"
#include "runtime/kernels/reference/depthwise_conv_2d.h"
#include "runtime/kernels/reference/quantize_example.h"
#include "runtime/kernels/simd/conv_2d.h"

namespace qat {
namespace {

// What does not change from example to example.
struct Plan {
  HybridArithmetic arithmetic;
  bool asymmetric = true;
  int64_t example_size = 0;
};

Expected<Plan> ReadPlan(const KernelContext& context, size_t channel_axis) {
  const KernelTensor& filter = *context.inputs[1];
  const auto channels = static_cast<size_t>(filter.shape[channel_axis]);
  if (filter.scale.empty()) return Corrupt("filter of type int8 has no scale and zero point");
  const bool along_axis = filter.quantized_dimension == static_cast<int32_t>(channel_axis);
  if (filter.scale.size() != 1 && (!along_axis || filter.scale.size() != channels)) {
    return Corrupt(StrCat("filter has ", filter.scale.size(), " scales along dimension ",
                          filter.quantized_dimension, ", expected ", channels, " along ", channel_axis));
  }
  for (const int64_t zero_point : filter.zero_point)
    if (zero_point != 0) return Corrupt(StrCat("filter zero point is ", zero_point, ", expected 0"));
  const KernelTensor* bias = context.input(2);
  if (bias != nullptr && bias->type != DType::kFloat32)
    return Unsupported(StrCat("bias of type ", NameOf(bias->type), ", expected float32"));
  if (bias != nullptr && FlatSize(bias->shape) != static_cast<int64_t>(channels)) {
    return Corrupt(StrCat("bias has ", FlatSize(bias->shape), " values, the filter ", channels, " outputs"));
  }
  Plan plan;
  plan.arithmetic.filter_scales = filter.scale;
  plan.arithmetic.clamp = FloatActivationRange(FusedActivation(context.attributes));
  return plan;
}

QuantizationParams QuantizeExample(const Plan& plan, const float* example, int8_t* quantized) {
  return plan.asymmetric ? reference::QuantizeAsymmetric(plan.example_size, example, quantized)
                         : reference::QuantizeSymmetric(plan.example_size, example, quantized);
}

HybridArithmetic ArithmeticOf(const Plan& plan, QuantizationParams params, const float* bias) {
  HybridArithmetic arithmetic = plan.arithmetic;
  arithmetic.input_scale = params.scale;
  arithmetic.input_offset = -params.zero_point;
  arithmetic.bias = bias;
  return arithmetic;
}

// The example as int8 in `quantized`, and the arithmetic for it.
HybridArithmetic Quantize(const Plan& plan, const float* example, const float* bias, int8_t* quantized) {
  return ArithmeticOf(plan, QuantizeExample(plan, example, quantized), bias);
}

using ConvolutionFunction = void (*)(const Window2D&, const HybridArithmetic&, const int8_t*, const int8_t*,
                                     const float*, float*);

std::unique_ptr<Kernel> MakeConvolution(const KernelContext& context, const Window2D& window, Plan plan,
                                        ConvolutionFunction convolve) {
  plan.example_size = int64_t{window.input_h} * window.input_w * window.input_depth;
  const auto run = [=](const KernelBuffers& io) {
    auto* const quantized = reinterpret_cast<int8_t*>(io.scratch);
    const int64_t output_size = int64_t{window.output_h} * window.output_w * window.output_depth;
    for (int32_t n = 0; n < window.batch; ++n) {
      const HybridArithmetic arithmetic =
          Quantize(plan, io.input<float>(0) + n * plan.example_size, io.input<float>(2), quantized);
      ForRowsOf(io.pool, window, kWorkOfAReferenceTap, [&](const Window2D& rows, int64_t first, int) {
        convolve(rows, arithmetic, quantized, io.input<int8_t>(1), nullptr,
                 io.output<float>() + n * output_size + first);
      });
    }
  };
  return MakeKernel(context, "reference", run, static_cast<size_t>(plan.example_size));
}

// Null if only the reference can run it.
const simd::Instructions* SimdInstructions(const KernelContext& context) {
  if (context.kernels != KernelSet::kFast || context.inputs[1]->constant.empty()) return nullptr;
  return simd::InstructionsOf(context.isa);
}

constexpr simd::Operands kQuantizedExample = {true, 0, 0};  // zero points come with each example

size_t CacheLines(size_t bytes) { return (bytes + 63) / 64 * 64; }

// Of each unit of an int8 filter, modulo 2^32: what the zero point of an example is multiplied with.
std::vector<int32_t> UnitSums(std::span<const uint8_t> filter, int64_t units) {
  const size_t depth = filter.size() / static_cast<size_t>(units);
  std::vector<int32_t> sums;
  for (size_t unit = 0; unit < static_cast<size_t>(units); ++unit) {
    int32_t sum = 0;
    for (const uint8_t w : filter.subspan(unit * depth, depth))
      sum = WrappingAdd(sum, static_cast<int8_t>(w));
    sums.push_back(sum);
  }
  return sums;
}

// sum((x + offset) * w) = sum(x * w) + offset * sum(w).
void StoreReals(const HybridArithmetic& arithmetic, std::span<const int32_t> unit_sums, const int32_t* sums,
                float* output) {
  const auto offset = static_cast<uint32_t>(arithmetic.input_offset);
  for (size_t unit = 0; unit < unit_sums.size(); ++unit) {
    const uint32_t acc = static_cast<uint32_t>(sums[unit]) + offset * static_cast<uint32_t>(unit_sums[unit]);
    output[unit] = arithmetic.Output(static_cast<int32_t>(acc), static_cast<int64_t>(unit));
  }
}

// Scratch: the example as bytes, its sums, and what the product needs.
std::unique_ptr<Kernel> MakeSimdConv2D(const KernelContext& context, const simd::Instructions& instructions,
                                       const Window2D& window, Plan plan) {
  plan.example_size = int64_t{window.input_h} * window.input_w * window.input_depth;
  const simd::Requantization none = {{QuantizeMultiplier(0.5)}, {}, 0, 0, 0};
  auto conv = simd::PrepareConv2D(instructions, window,
                                  {context.inputs[1]->constant, {}, kQuantizedExample, none}, nullptr);
  const int64_t pixels = int64_t{window.output_h} * window.output_w, units = window.output_depth;
  const size_t sums_at = CacheLines(static_cast<size_t>(plan.example_size));
  const size_t rest_at = sums_at + CacheLines(static_cast<size_t>(pixels * units) * sizeof(int32_t));
  const size_t scratch = rest_at + ScratchSize(conv, 1);
  auto run = [=, conv = std::move(conv),
              unit_sums = UnitSums(context.inputs[1]->constant, units)](const KernelBuffers& io) {
    auto* const quantized = reinterpret_cast<int8_t*>(io.scratch);
    auto* const sums = reinterpret_cast<int32_t*>(io.scratch + sums_at);
    for (int64_t n = 0; n < window.batch; ++n) {
      const HybridArithmetic arithmetic =
          Quantize(plan, io.input<float>(0) + n * plan.example_size, io.input<float>(2), quantized);
      simd::RunSums(conv, io.scratch, -arithmetic.input_offset, sums, io.scratch + rest_at, io.pool);
      float* const output = io.output<float>() + n * pixels * units;
      for (int64_t pixel = 0; pixel < pixels; ++pixel)
        StoreReals(arithmetic, unit_sums, sums + pixel * units, output + pixel * units);
    }
  };
  return MakeKernel(context, NameOf(context.isa), std::move(run), scratch);
}

std::unique_ptr<Kernel> MakeSimdFullyConnected(const KernelContext& context,
                                               const simd::Instructions& instructions,
                                               const MatrixShape& shape, const Plan& plan) {
  simd::FullyConnected layer{
      shape, simd::PackForSums(instructions, {{0}, shape.acc_depth}, context.inputs[1]->constant, shape.units,
                               kQuantizedExample)};
  const size_t sums_at = CacheLines(static_cast<size_t>(shape.rows * shape.acc_depth));
  const size_t rest_at =
      sums_at + CacheLines(static_cast<size_t>(shape.rows * shape.units) * sizeof(int32_t));
  const size_t rows_at = rest_at + CacheLines(ScratchSize(layer));
  const size_t scratch = rows_at + static_cast<size_t>(shape.rows) * sizeof(QuantizationParams);
  auto run = [=, layer = std::move(layer),
              unit_sums = UnitSums(context.inputs[1]->constant, shape.units)](const KernelBuffers& io) {
    auto* const sums = reinterpret_cast<int32_t*>(io.scratch + sums_at);
    auto* const params = reinterpret_cast<QuantizationParams*>(io.scratch + rows_at);
    for (int64_t row = 0; row < shape.rows; ++row) {
      params[row] = QuantizeExample(plan, io.input<float>(0) + row * shape.acc_depth,
                                    reinterpret_cast<int8_t*>(io.scratch) + row * shape.acc_depth);
    }
    simd::RunSums(layer, io.scratch, sums, io.scratch + rest_at, io.pool);
    for (int64_t row = 0; row < shape.rows; ++row) {
      StoreReals(ArithmeticOf(plan, params[row], io.input<float>(2)), unit_sums, sums + row * shape.units,
                 io.output<float>() + row * shape.units);
    }
  };
  return MakeKernel(context, NameOf(context.isa), std::move(run), scratch);
}

}  // namespace

bool IsHybrid(const KernelContext& context) {
  return context.inputs[0]->type == DType::kFloat32 && context.inputs[1]->type == DType::kInt8 &&
         context.output.type == DType::kFloat32;
}

// Of filters with one scale TFLite quantizes the input around 0. Of those with a scale per channel it
// multiplies the sum by that scale first, unlike in its other layers.
Expected<std::unique_ptr<Kernel>> PrepareHybridConv2D(const KernelContext& context, const Window2D& window) {
  QAT_ASSIGN_OR_RETURN(Plan plan, ReadPlan(context, 0));
  plan.asymmetric = plan.arithmetic.channel_scale_first = context.inputs[1]->scale.size() != 1;
  const simd::Instructions* const instructions = SimdInstructions(context);
  if (instructions != nullptr && window.groups == 1 && simd::CanConv2D(window))
    return MakeSimdConv2D(context, *instructions, window, plan);
  return MakeConvolution(context, window, plan, reference::Conv2D<HybridArithmetic>);
}

Expected<std::unique_ptr<Kernel>> PrepareHybridDepthwiseConv2D(const KernelContext& context,
                                                               const Window2D& window) {
  QAT_ASSIGN_OR_RETURN(const Plan plan, ReadPlan(context, 3));
  if (context.inputs[1]->scale.size() != static_cast<size_t>(window.output_depth))
    return Unsupported(StrCat("a filter of type int8 with one scale for ", window.output_depth, " channels"));
  return MakeConvolution(context, window, plan, reference::DepthwiseConv2D<HybridArithmetic>);
}

Expected<std::unique_ptr<Kernel>> PrepareHybridFullyConnected(const KernelContext& context,
                                                              const MatrixShape& shape) {
  QAT_ASSIGN_OR_RETURN(Plan plan, ReadPlan(context, 0));
  plan.asymmetric = context.As<FullyConnectedAttributes>().asymmetric_inputs;
  plan.example_size = shape.acc_depth;
  if (const simd::Instructions* instructions = SimdInstructions(context))
    return MakeSimdFullyConnected(context, *instructions, shape, plan);
  const auto run = [=](const KernelBuffers& io) {
    auto* const quantized = reinterpret_cast<int8_t*>(io.scratch);
    for (int64_t row = 0; row < shape.rows; ++row) {
      const HybridArithmetic arithmetic =
          Quantize(plan, io.input<float>(0) + row * shape.acc_depth, io.input<float>(2), quantized);
      reference::FullyConnected({1, shape.acc_depth, shape.units}, arithmetic, quantized, io.input<int8_t>(1),
                                nullptr, io.output<float>() + row * shape.units);
    }
  };
  return MakeKernel(context, "reference", run, static_cast<size_t>(plan.example_size));
}

}  // namespace qat
