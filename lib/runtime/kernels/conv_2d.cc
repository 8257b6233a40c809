// Prepare of CONV_2D.
#include "runtime/kernels/reference/conv_2d.h"
#include "runtime/kernels/quantization.h"

namespace qat {
namespace {

template <class Arithmetic>
std::unique_ptr<Kernel> Choose(const KernelContext& context, const Arithmetic& arithmetic) {
  using Element = typename Arithmetic::Element;
  using Bias = typename Arithmetic::Bias;
  const Window2D window = ConvolutionWindow(context.As<Conv2DAttributes>(), context.inputs[0]->shape,
                                            context.inputs[1]->shape, context.output.shape);
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    reference::Conv2D(window, arithmetic, io.input<Element>(0), io.input<Element>(1), io.input<Bias>(2),
                      io.output<Element>());
  });
}

Expected<std::unique_ptr<Kernel>> PrepareUInt8(const KernelContext& context) {
  QAT_RETURN_IF_ERROR(CheckMacTypes(context, DType::kInt32));
  QAT_ASSIGN_OR_RETURN(const MacScales scales, ReadMacScales(context, LimitsOf<uint8_t>()));
  FixedPointArithmetic<uint8_t> arithmetic;
  SetOffsets(scales, FusedActivation(context.attributes), arithmetic);
  QAT_ASSIGN_OR_RETURN(arithmetic.multiplier, MacMultiplier(scales));
  return Choose(context, arithmetic);
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  switch (context.inputs[0]->type) {
    case DType::kFloat32:
      QAT_RETURN_IF_ERROR(CheckMacTypes(context, DType::kFloat32));
      return Choose(context, FloatActivationRange(FusedActivation(context.attributes)));
    case DType::kUInt8:
      return PrepareUInt8(context);
    default:
      return UnsupportedTypes(context);
  }
}

}  // namespace

// Version 6 brought groups, 7 four-bit filters, 8 other bias types.
const OpKernels& Conv2DKernels() {
  static const OpKernels kKernels = {Prepare, 5};
  return kKernels;
}

}  // namespace qat
