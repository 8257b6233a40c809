// Prepare of DEPTHWISE_CONV_2D.
#include <algorithm>
#include <type_traits>

#include "runtime/kernels/hybrid.h"
#include "runtime/kernels/portable/depthwise_conv_2d.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/depthwise_conv_2d.h"
#include "runtime/kernels/simd/conv_2d.h"
#include "runtime/kernels/simd/depthwise_conv_2d.h"
#include "runtime/kernels/simd/float_depthwise_conv_2d.h"
#include "runtime/kernels/simd/float_depthwise_rows.h"
#include "runtime/kernels/simd/float_matrix.h"

namespace qat {
namespace {

constexpr size_t kChannelAxis = 3;

Window2D WindowOf(const KernelContext& context) {
  return DepthwiseWindow(context.As<DepthwiseConv2DAttributes>(), context.inputs[0]->shape,
                         context.inputs[1]->shape, context.output.shape);
}

// Of one input channel: a convolution.
bool IsConvolution(const Window2D& window) { return window.input_depth == 1 && simd::CanConv2D(window); }

// With every channel repeated for each of its outputs, the image has as many channels as the output.
bool RepeatsChannels(const Window2D& window) {
  return window.input_depth > 1 && window.input_depth != window.output_depth;
}

Window2D WithRepeatedChannels(Window2D window) {
  window.input_depth = window.output_depth;
  return window;
}

// Null if only the reference can run it.
const simd::Instructions* SimdInstructions(const KernelContext& context, const Window2D& window) {
  if (context.kernels != KernelSet::kFast || !HasConstantFilter(context)) return nullptr;
  const bool can = IsConvolution(window) || simd::CanDepthwiseConv2D(WithRepeatedChannels(window));
  return can ? simd::InstructionsOf(context.isa) : nullptr;
}

// [1, H, W, O] to [O, H, W, 1].
template <class T>
std::vector<T> ConvolutionFilter(std::span<const T> filter, size_t units) {
  std::vector<T> values(filter.size());
  const size_t taps = filter.size() / units;
  for (size_t i = 0; i < filter.size(); ++i) values[i % units * taps + i / units] = filter[i];
  return values;
}

template <class Arithmetic>
std::unique_ptr<Kernel> MakeConvolution(const KernelContext& context, const simd::Instructions& instructions,
                                        const Window2D& window, const Arithmetic& arithmetic) {
  const auto filter =
      ConvolutionFilter(context.inputs[1]->constant, static_cast<size_t>(window.output_depth));
  const simd::Operands operands = simd::OperandsOf(arithmetic);
  const simd::Requantization requantization = simd::RequantizationOf(arithmetic);
  auto conv = simd::PrepareConv2D(instructions, window,
                                  {filter, ConstantBias(context), operands, requantization}, nullptr);
  const size_t scratch = ScratchSize(conv, context.threads);
  return MakeKernel(
      context, NameOf(context.isa),
      [conv = std::move(conv)](const KernelBuffers& io) {
        simd::Run(conv, io.input<uint8_t>(0), io.output<uint8_t>(), io.scratch, io.pool);
      },
      scratch);
}

template <class Arithmetic>
std::unique_ptr<Kernel> MakeSimd(const KernelContext& context, const simd::Instructions& instructions,
                                 const Window2D& window, const Arithmetic& arithmetic) {
  if (IsConvolution(window)) return MakeConvolution(context, instructions, window, arithmetic);
  simd::DepthwiseConv2D conv(instructions, window, context.inputs[1]->constant, ConstantBias(context),
                             simd::OperandsOf(arithmetic), simd::RequantizationOf(arithmetic));
  const size_t scratch = conv.ScratchSize(context.threads);
  return MakeKernel(
      context, NameOf(context.isa),
      [conv = std::move(conv)](const KernelBuffers& io) {
        conv.Run(io.input<uint8_t>(0), io.output<uint8_t>(), io.scratch, io.pool);
      },
      scratch);
}

// A constant number of times becomes a few wide stores.
template <int64_t kTimes, class T>
void Repeat(const T* input, int64_t values, T* output) {
  for (int64_t i = 0; i < values; ++i) std::fill_n(output + i * kTimes, kTimes, input[i]);
}

template <class T>
void RepeatChannels(const T* input, int64_t values, int64_t times, T* output) {
  switch (times) {
    case 2:
      return Repeat<2>(input, values, output);
    case 3:
      return Repeat<3>(input, values, output);
    case 4:
      return Repeat<4>(input, values, output);
    case 8:
      return Repeat<8>(input, values, output);
    default:
      for (int64_t i = 0; i < values; ++i, output += times) std::fill_n(output, times, input[i]);
  }
}

// `inner` on an image with repeated channels, which is the head of the scratch.
template <class T>
std::unique_ptr<Kernel> OnRepeatedChannels(const KernelContext& context, const Window2D& window,
                                           std::unique_ptr<Kernel> inner) {
  constexpr size_t kAlignment = 64;
  const int64_t values = FlatSize(context.inputs[0]->shape);
  const int64_t times = window.output_depth / window.input_depth;
  const size_t image =
      (static_cast<size_t>(values * times) * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
  const size_t scratch = image + inner->scratch_size();
  return MakeKernel(
      context, NameOf(context.isa),
      [=, inner = std::move(inner)](const KernelBuffers& io) {
        RepeatChannels(io.input<T>(0), values, times, reinterpret_cast<T*>(io.scratch));
        const uint8_t* const inputs[] = {io.scratch, io.input<uint8_t>(1), io.input<uint8_t>(2)};
        KernelBuffers repeated = io;
        repeated.inputs = inputs;
        repeated.scratch = io.scratch + image;
        inner->Eval(repeated);
      },
      scratch);
}

// In C++ for any machine.
template <class Arithmetic>
std::unique_ptr<Kernel> MakePlain(const KernelContext& context, const Window2D& window,
                                  const Arithmetic& arithmetic) {
  using Element = typename Arithmetic::Element;
  using Filter = typename Arithmetic::Filter;
  using Bias = typename Arithmetic::Bias;
  const bool fits = sizeof(Element) == 1 || std::is_same_v<Element, float> ||
                    int64_t{window.filter_h} * window.filter_w <= portable::kMostInt16Taps;
  if (context.kernels == KernelSet::kFast && window.input_depth == window.output_depth && fits) {
    return MakeKernel(
        context, "portable",
        [=](const KernelBuffers& io) {
          portable::DepthwiseConv2D(window, arithmetic, io.input<Element>(0), io.input<Filter>(1),
                                    io.input<Bias>(2), io.output<Element>(), io.scratch);
        },
        portable::DepthwiseScratchSize(window));
  }
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    const int64_t image_size = int64_t{window.input_h} * window.input_w * window.input_depth;
    const int64_t output_size = int64_t{window.output_h} * window.output_w * window.output_depth;
    for (int32_t n = 0; n < window.batch; ++n) {
      ForRowsOf(io.pool, window, kWorkOfAReferenceTap, [&](const Window2D& rows, int64_t first, int) {
        reference::DepthwiseConv2D(rows, arithmetic, io.input<Element>(0) + n * image_size,
                                   io.input<Filter>(1), io.input<Bias>(2),
                                   io.output<Element>() + n * output_size + first);
      });
    }
  });
}

template <class Arithmetic>
std::unique_ptr<Kernel> MakeQuantized(const KernelContext& context, const Arithmetic& arithmetic) {
  const Window2D window = WindowOf(context);
  if (const simd::Instructions* instructions = SimdInstructions(context, window)) {
    if (!RepeatsChannels(window)) return MakeSimd(context, *instructions, window, arithmetic);
    return OnRepeatedChannels<uint8_t>(
        context, window, MakeSimd(context, *instructions, WithRepeatedChannels(window), arithmetic));
  }
  return MakePlain(context, window, arithmetic);
}

std::unique_ptr<Kernel> MakeFloat(const KernelContext& context, const simd::Instructions& instructions,
                                  const Window2D& window, const FloatArithmetic& arithmetic) {
  const std::span<const uint8_t> bytes = context.inputs[1]->constant;
  const std::span filter(reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float));
  const auto make = [&](auto conv, size_t scratch, auto run) {
    return MakeKernel(
        context, NameOf(context.isa),
        [conv = std::move(conv), arithmetic, run](const KernelBuffers& io) {
          run(conv, arithmetic, io.input<float>(0), io.input<float>(2), io.output<float>(), io.scratch,
              io.pool);
        },
        scratch);
  };
  if (IsConvolution(window)) {
    const auto transposed = ConvolutionFilter(filter, static_cast<size_t>(window.output_depth));
    auto conv = simd::PrepareFloatConv2D(instructions, window, transposed);
    const size_t scratch = ScratchSize(conv, context.threads);
    return make(std::move(conv), scratch, [](const auto& c, auto... io) { simd::Run(c, io...); });
  }
  if (simd::FloatDepthwiseRows::Can(instructions, window)) {
    simd::FloatDepthwiseRows conv(instructions, window, filter);
    const size_t scratch = conv.ScratchSize();
    return make(std::move(conv), scratch, [](const auto& c, auto... io) { c.Run(io...); });
  }
  simd::FloatDepthwiseConv2D conv(instructions, window, filter);
  const size_t scratch = conv.ScratchSize(context.threads);
  return make(std::move(conv), scratch, [](const auto& c, auto... io) { c.Run(io...); });
}

Expected<std::unique_ptr<Kernel>> PrepareFloat(const KernelContext& context) {
  QAT_RETURN_IF_ERROR(CheckMacTypes(context, DType::kFloat32, kChannelAxis));
  const Window2D window = WindowOf(context);
  const FloatArithmetic arithmetic = FloatActivationRange(FusedActivation(context.attributes));
  if (const simd::Instructions* instructions = SimdInstructions(context, window)) {
    if (!RepeatsChannels(window)) return MakeFloat(context, *instructions, window, arithmetic);
    return OnRepeatedChannels<float>(
        context, window, MakeFloat(context, *instructions, WithRepeatedChannels(window), arithmetic));
  }
  return MakePlain(context, window, arithmetic);
}

Expected<std::unique_ptr<Kernel>> PrepareUInt8(const KernelContext& context) {
  QAT_RETURN_IF_ERROR(CheckMacTypes(context, DType::kInt32, kChannelAxis));
  QAT_ASSIGN_OR_RETURN(const MacScales scales, ReadMacScales(context, LimitsOf<uint8_t>()));
  FixedPointArithmetic<uint8_t> arithmetic;
  SetOffsets(scales, FusedActivation(context.attributes), arithmetic);
  QAT_ASSIGN_OR_RETURN(arithmetic.multiplier, MacMultiplier(scales));
  return MakeQuantized(context, arithmetic);
}

Expected<std::unique_ptr<Kernel>> PrepareInt8(const KernelContext& context) {
  QAT_RETURN_IF_ERROR(CheckMacTypes(context, DType::kInt32, kChannelAxis));
  QAT_ASSIGN_OR_RETURN(const ChannelScales scales, ReadChannelScales(context, int32_t{kChannelAxis}));
  ChannelFixedPointArithmetic<int8_t> arithmetic;
  SetOffsets(scales.input, scales.output, FusedActivation(context.attributes), arithmetic);
  QAT_ASSIGN_OR_RETURN(arithmetic.multipliers, ChannelMultipliers(scales));
  return MakeQuantized(context, arithmetic);
}

// The sums are 64 bits whatever the model says.
Expected<std::unique_ptr<Kernel>> PrepareInt16(const KernelContext& context) {
  QAT_RETURN_IF_ERROR(CheckMacTypes(context, DType::kInt64, kChannelAxis));
  QAT_ASSIGN_OR_RETURN(const auto arithmetic, ReadInt16Arithmetic<int64_t>(context, int32_t{kChannelAxis}));
  return MakePlain(context, WindowOf(context), arithmetic);
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  if (IsHybrid(context)) return PrepareHybridDepthwiseConv2D(context, WindowOf(context));
  switch (context.inputs[0]->type) {
    case DType::kFloat32:
      return PrepareFloat(context);
    case DType::kUInt8:
      return PrepareUInt8(context);
    case DType::kInt8:
      return PrepareInt8(context);
    case DType::kInt16:
      return PrepareInt16(context);
    default:
      return UnsupportedTypes(context);
  }
}

}  // namespace

// Version 5 brought int16, 7 four-bit filters.
const OpKernels& DepthwiseConv2DKernels() {
  static const OpKernels kKernels = {Prepare, 7};
  return kKernels;
}

}  // namespace qat
