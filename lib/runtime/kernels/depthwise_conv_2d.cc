// Prepare of DEPTHWISE_CONV_2D.
#include "runtime/kernels/reference/depthwise_conv_2d.h"
#include "runtime/kernels/quantization.h"

namespace qat {
namespace {

constexpr size_t kChannelAxis = 3;

template <class Arithmetic>
std::unique_ptr<Kernel> Make(const KernelContext& context, const Arithmetic& arithmetic) {
  using Element = typename Arithmetic::Element;
  using Bias = typename Arithmetic::Bias;
  const Window2D window = DepthwiseWindow(context.As<DepthwiseConv2DAttributes>(), context.inputs[0]->shape,
                                          context.inputs[1]->shape, context.output.shape);
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    reference::DepthwiseConv2D(window, arithmetic, io.input<Element>(0), io.input<Element>(1),
                               io.input<Bias>(2), io.output<Element>());
  });
}

Expected<std::unique_ptr<Kernel>> PrepareFloat(const KernelContext& context) {
  QAT_RETURN_IF_ERROR(CheckMacTypes(context, DType::kFloat32, kChannelAxis));
  return Make(context, FloatActivationRange(FusedActivation(context.attributes)));
}

Expected<std::unique_ptr<Kernel>> PrepareUInt8(const KernelContext& context) {
  QAT_RETURN_IF_ERROR(CheckMacTypes(context, DType::kInt32, kChannelAxis));
  QAT_ASSIGN_OR_RETURN(const MacScales scales, ReadMacScales(context, LimitsOf<uint8_t>()));
  FixedPointArithmetic<uint8_t> arithmetic;
  SetOffsets(scales, FusedActivation(context.attributes), arithmetic);
  QAT_ASSIGN_OR_RETURN(arithmetic.multiplier, MacMultiplier(scales));
  return Make(context, arithmetic);
}

Expected<std::unique_ptr<Kernel>> PrepareInt8(const KernelContext& context) {
  QAT_RETURN_IF_ERROR(CheckMacTypes(context, DType::kInt32, kChannelAxis));
  QAT_ASSIGN_OR_RETURN(const ChannelScales scales, ReadChannelScales(context, int32_t{kChannelAxis}));
  ChannelFixedPointArithmetic<int8_t> arithmetic;
  SetOffsets(scales.input, scales.output, FusedActivation(context.attributes), arithmetic);
  QAT_ASSIGN_OR_RETURN(arithmetic.multipliers, ChannelMultipliers(scales));
  return Make(context, arithmetic);
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  switch (context.inputs[0]->type) {
    case DType::kFloat32:
      return PrepareFloat(context);
    case DType::kUInt8:
      return PrepareUInt8(context);
    case DType::kInt8:
      return PrepareInt8(context);
    default:
      return UnsupportedTypes(context);
  }
}

}  // namespace

// Version 7 brought four-bit filters; hybrid and int16 operators below are refused by their types.
const OpKernels& DepthwiseConv2DKernels() {
  static const OpKernels kKernels = {Prepare, 6};
  return kKernels;
}

}  // namespace qat
