// Prepare of CONV_2D.
#include "runtime/kernels/reference/conv_2d.h"
#include "runtime/kernels/portable/conv_2d.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/simd/conv_2d.h"
#include "runtime/kernels/simd/float_matrix.h"

namespace qat {
namespace {

Window2D WindowOf(const KernelContext& context) {
  return ConvolutionWindow(context.As<Conv2DAttributes>(), context.inputs[0]->shape, context.inputs[1]->shape,
                           context.output.shape);
}

// The filter must be known now: it is packed once.
bool WantsFast(const KernelContext& context, const Window2D& window) {
  return context.kernels == KernelSet::kFast && window.groups == 1 && !context.inputs[1]->constant.empty() &&
         portable::CanConv2D(window);
}

// Null where the portable kernel or the reference must do. The bias is folded with the zero points, once.
const simd::Instructions* SimdInstructions(const KernelContext& context, const Window2D& window) {
  if (context.kernels != KernelSet::kFast || window.groups != 1 || !HasConstantFilter(context) ||
      !simd::CanConv2D(window)) {
    return nullptr;
  }
  return simd::InstructionsOf(context.isa);
}

template <class Arithmetic>
std::unique_ptr<Kernel> MakeSimd(const KernelContext& context, const simd::Instructions& instructions,
                                 const Window2D& window, const Arithmetic& arithmetic) {
  auto conv = simd::PrepareConv2D(instructions, window, context.inputs[1]->constant, ConstantBias(context),
                                  simd::OperandsOf(arithmetic), simd::RequantizationOf(arithmetic));
  const size_t scratch = ScratchSize(conv);
  return MakeKernel(
      context, NameOf(context.isa),
      [conv = std::move(conv)](const KernelBuffers& io) {
        simd::Run(conv, io.input<uint8_t>(0), io.output<uint8_t>(), io.scratch, io.pool);
      },
      scratch);
}

std::unique_ptr<Kernel> MakeFloat(const KernelContext& context, simd::FloatConv2D conv,
                                  const FloatArithmetic& arithmetic) {
  const size_t scratch = ScratchSize(conv);
  return MakeKernel(
      context, NameOf(context.isa),
      [conv = std::move(conv), arithmetic](const KernelBuffers& io) {
        simd::Run(conv, arithmetic, io.input<float>(0), io.input<float>(2), io.output<float>(), io.scratch,
                  io.pool);
      },
      scratch);
}

template <class Arithmetic>
std::unique_ptr<Kernel> MakeReference(const KernelContext& context, const Window2D& window,
                                      const Arithmetic& arithmetic) {
  using Element = typename Arithmetic::Element;
  using Bias = typename Arithmetic::Bias;
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    const int64_t image_size = int64_t{window.input_h} * window.input_w * window.input_depth;
    const int64_t row_size = int64_t{window.output_w} * window.output_depth;
    for (int32_t n = 0; n < window.batch; ++n) {
      ForRuns(io.pool, window.output_h, 1, [&](int64_t begin, int64_t end, int) {
        reference::Conv2D(RowsOf(window, begin, end), arithmetic, io.input<Element>(0) + n * image_size,
                          io.input<Element>(1), io.input<Bias>(2),
                          io.output<Element>() + (n * window.output_h + begin) * row_size);
      });
    }
  });
}

// `conv` holds the packed filter; bias and scratch come with every call.
template <class Conv, class Arithmetic>
std::unique_ptr<Kernel> MakePortable(const KernelContext& context, Conv conv, const Arithmetic& arithmetic) {
  using Element = typename Arithmetic::Element;
  using Bias = typename Arithmetic::Bias;
  const size_t scratch = ScratchSize(conv);
  return MakeKernel(
      context, "portable",
      [conv = std::move(conv), arithmetic](const KernelBuffers& io) {
        portable::Conv2D(conv, arithmetic, io.input<Element>(0), io.input<Bias>(2), io.output<Element>(),
                         io.scratch);
      },
      scratch);
}

Expected<std::unique_ptr<Kernel>> PrepareFloat(const KernelContext& context) {
  QAT_RETURN_IF_ERROR(CheckMacTypes(context, DType::kFloat32));
  const Window2D window = WindowOf(context);
  const FloatArithmetic arithmetic = FloatActivationRange(FusedActivation(context.attributes));
  if (!WantsFast(context, window)) return MakeReference(context, window, arithmetic);
  const auto* filter = reinterpret_cast<const float*>(context.inputs[1]->constant.data());
  if (const simd::Instructions* instructions = simd::InstructionsOf(context.isa)) {
    const size_t size = context.inputs[1]->constant.size() / sizeof(float);
    return MakeFloat(context, simd::PrepareFloatConv2D(*instructions, window, {filter, size}), arithmetic);
  }
  return MakePortable(context, portable::PrepareConv2D(window, filter), arithmetic);
}

Expected<std::unique_ptr<Kernel>> PrepareUInt8(const KernelContext& context) {
  QAT_RETURN_IF_ERROR(CheckMacTypes(context, DType::kInt32));
  QAT_ASSIGN_OR_RETURN(const MacScales scales, ReadMacScales(context, LimitsOf<uint8_t>()));
  FixedPointArithmetic<uint8_t> arithmetic;
  SetOffsets(scales, FusedActivation(context.attributes), arithmetic);
  QAT_ASSIGN_OR_RETURN(arithmetic.multiplier, MacMultiplier(scales));
  const Window2D window = WindowOf(context);
  if (const simd::Instructions* instructions = SimdInstructions(context, window)) {
    return MakeSimd(context, *instructions, window, arithmetic);
  }
  if (!WantsFast(context, window)) return MakeReference(context, window, arithmetic);
  const uint8_t* filter = context.inputs[1]->constant.data();
  return MakePortable(context, portable::PrepareConv2D(window, filter, arithmetic.filter_offset), arithmetic);
}

Expected<std::unique_ptr<Kernel>> PrepareInt8(const KernelContext& context) {
  QAT_RETURN_IF_ERROR(CheckMacTypes(context, DType::kInt32));
  QAT_ASSIGN_OR_RETURN(const ChannelScales scales, ReadChannelScales(context, 0));
  ChannelFixedPointArithmetic<int8_t> arithmetic;
  SetOffsets(scales.input, scales.output, FusedActivation(context.attributes), arithmetic);
  QAT_ASSIGN_OR_RETURN(arithmetic.multipliers, ChannelMultipliers(scales));
  const Window2D window = WindowOf(context);
  if (const simd::Instructions* instructions = SimdInstructions(context, window)) {
    return MakeSimd(context, *instructions, window, arithmetic);
  }
  if (!WantsFast(context, window)) return MakeReference(context, window, arithmetic);
  const auto* filter = reinterpret_cast<const int8_t*>(context.inputs[1]->constant.data());
  return MakePortable(context, portable::PrepareConv2D(window, filter, arithmetic.filter_offset), arithmetic);
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

// Version 6 brought groups; others types, which Prepare refuses.
const OpKernels& Conv2DKernels() {
  static const OpKernels kKernels = {Prepare, 8};
  return kKernels;
}

}  // namespace qat
