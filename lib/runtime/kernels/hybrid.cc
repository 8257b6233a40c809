#include "runtime/kernels/hybrid.h"

#include "base/strings.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/conv_2d.h"
#include "runtime/kernels/reference/depthwise_conv_2d.h"
#include "runtime/kernels/reference/quantize_example.h"

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

// The example as int8 in `quantized`, and the arithmetic for it.
HybridArithmetic Quantize(const Plan& plan, const float* example, const float* bias, int8_t* quantized) {
  const QuantizationParams params = plan.asymmetric
                                        ? reference::QuantizeAsymmetric(plan.example_size, example, quantized)
                                        : reference::QuantizeSymmetric(plan.example_size, example, quantized);
  HybridArithmetic arithmetic = plan.arithmetic;
  arithmetic.input_scale = params.scale;
  arithmetic.input_offset = -params.zero_point;
  arithmetic.bias = bias;
  return arithmetic;
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

}  // namespace

bool IsHybrid(const KernelContext& context) {
  return context.inputs[0]->type == DType::kFloat32 && context.inputs[1]->type == DType::kInt8 &&
         context.output.type == DType::kFloat32;
}

// Of filters with one scale TFLite quantizes the input around 0. Of those with a scale per channel it multiplies the sum by
// that scale first, unlike in its other layers.
Expected<std::unique_ptr<Kernel>> PrepareHybridConv2D(const KernelContext& context, const Window2D& window) {
  QAT_ASSIGN_OR_RETURN(Plan plan, ReadPlan(context, 0));
  plan.asymmetric = plan.arithmetic.channel_scale_first = context.inputs[1]->scale.size() != 1;
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
