// Prepare of FULLY_CONNECTED.
#include "runtime/kernels/reference/fully_connected.h"
#include "runtime/kernels/quantization.h"

namespace qat {
namespace {

MatrixShape ShapeOf(const KernelContext& context) {
  const Shape& filter = context.inputs[1]->shape;
  return {FlatSize(context.inputs[0]->shape) / filter[1], filter[1], filter[0]};
}

template <class Arithmetic>
std::unique_ptr<Kernel> Choose(const KernelContext& context, const Arithmetic& arithmetic) {
  using Element = typename Arithmetic::Element;
  using Bias = typename Arithmetic::Bias;
  const MatrixShape shape = ShapeOf(context);
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    reference::FullyConnected(shape, arithmetic, io.input<Element>(0), io.input<Element>(1),
                              io.input<Bias>(2), io.output<Element>());
  });
}

Expected<std::unique_ptr<Kernel>> PrepareUInt8(const KernelContext& context) {
  QAT_RETURN_IF_ERROR(CheckMacTypes(context, DType::kInt32));
  QAT_ASSIGN_OR_RETURN(const MacScales scales, ReadMacScales(context, LimitsOf<uint8_t>()));
  const Activation activation = FusedActivation(context.attributes);
  if (context.profile == ArithmeticProfile::kTfliteClassic) {
    FixedPointArithmetic<uint8_t> arithmetic;
    SetOffsets(scales, activation, arithmetic);
    QAT_ASSIGN_OR_RETURN(arithmetic.multiplier, MacMultiplier(scales));
    return Choose(context, arithmetic);
  }
  DoubleArithmetic<uint8_t> arithmetic;
  SetOffsets(scales, activation, arithmetic);
  arithmetic.real_multiplier = MacRealMultiplier(scales);
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

// Later versions brought int16, sparse, hybrid and four-bit filters.
const OpKernels& FullyConnectedKernels() {
  static const OpKernels kKernels = {Prepare, 6};
  return kKernels;
}

}  // namespace qat
