// Prepare of TRANSPOSE_CONV.
#include <algorithm>

#include "ops/padding.h"
#include "runtime/kernels/portable/transpose_conv.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/simd/transpose_conv.h"
#include "runtime/kernels/window.h"

namespace qat {
namespace {

// Sizes of the convolution backwards: its input is the output here.
Window2D WindowOf(const TransposeConvAttributes& a, const Shape& input, const Shape& filter,
                  const Shape& output) {
  Window2D w;
  w.batch = input[0];
  w.input_h = input[1];
  w.input_w = input[2];
  w.input_depth = input[3];
  w.output_h = output[1];
  w.output_w = output[2];
  w.output_depth = output[3];
  w.filter_h = filter[1];
  w.filter_w = filter[2];
  w.stride_h = a.stride_h;
  w.stride_w = a.stride_w;
  w.pad_top = ComputeWindow(a.padding, output[1], filter[1], a.stride_h).before;
  w.pad_left = ComputeWindow(a.padding, output[2], filter[2], a.stride_w).before;
  return w;
}

// Adds one input pixel times the filter to the sums of its image.
template <class Arithmetic, class Element = typename Arithmetic::Element>
void AddPixel(const Window2D& w, const Arithmetic& arithmetic, const Element* pixel,
              const typename Arithmetic::Filter* filter, int32_t top, int32_t left,
              typename Arithmetic::Accumulator* sums) {
  for (int32_t i = 0; i < w.input_depth; ++i) {
    for (int32_t fy = 0; fy < w.filter_h; ++fy) {
      const int32_t y = top + fy;
      if (y < 0 || y >= w.output_h) continue;
      for (int32_t fx = 0; fx < w.filter_w; ++fx) {
        const int32_t x = left + fx;
        if (x < 0 || x >= w.output_w) continue;
        auto* const sum = sums + (int64_t{y} * w.output_w + x) * w.output_depth;
        for (int32_t o = 0; o < w.output_depth; ++o) {
          const typename Arithmetic::Filter weight =
              filter[((int64_t{o} * w.filter_h + fy) * w.filter_w + fx) * w.input_depth + i];
          sum[o] = Arithmetic::Add(sum[o], arithmetic.Product(pixel[i], weight));
        }
      }
    }
  }
}

template <class Arithmetic, class Element = typename Arithmetic::Element>
void TransposeConv(const Window2D& w, const Arithmetic& arithmetic, const Element* input,
                   const typename Arithmetic::Filter* filter, const typename Arithmetic::Bias* bias,
                   Element* output, typename Arithmetic::Accumulator* sums) {
  const int64_t pixels = int64_t{w.output_h} * w.output_w;
  for (int32_t n = 0; n < w.batch; ++n) {
    std::fill_n(sums, pixels * w.output_depth, typename Arithmetic::Accumulator{0});
    for (int32_t y = 0; y < w.input_h; ++y) {
      for (int32_t x = 0; x < w.input_w; ++x, input += w.input_depth)
        AddPixel(w, arithmetic, input, filter, y * w.stride_h - w.pad_top, x * w.stride_w - w.pad_left, sums);
    }
    for (int64_t i = 0; i < pixels * w.output_depth; ++i) {
      const int64_t o = i % w.output_depth;
      const auto acc = bias == nullptr ? sums[i] : Arithmetic::Add(sums[i], bias[o]);
      *output++ = arithmetic.Output(acc, o);
    }
  }
}

// Of bytes, by vectors; `context` as below.
template <class Arithmetic>
std::unique_ptr<Kernel> MakeSimd(const KernelContext& context, const simd::Instructions& instructions,
                                 const Window2D& window, const Arithmetic& arithmetic) {
  using Element = typename Arithmetic::Element;
  simd::TransposeConv2D conv(instructions, window, context.inputs[1]->constant, simd::OperandsOf(arithmetic));
  const int64_t size = int64_t{window.output_h} * window.output_w * window.output_depth;
  const size_t sums_at = (conv.ScratchSize() + 63) / 64 * 64;
  auto run = [=, conv = std::move(conv)](const KernelBuffers& io) {
    const Window2D& w = conv.window();
    const int32_t* const bias = io.input<int32_t>(3);
    auto* const sums = reinterpret_cast<int32_t*>(io.scratch + sums_at);
    Element* output = io.output<Element>();
    for (int64_t n = 0; n < w.batch; ++n) {
      conv.Sums(io.input<uint8_t>(2) + n * w.input_h * w.input_w * w.input_depth, sums, io.scratch);
      for (int64_t first = 0; first < size; first += w.output_depth) {
        for (int64_t o = 0; o < w.output_depth; ++o) {
          const int32_t sum = sums[first + o];
          *output++ = arithmetic.Output(bias == nullptr ? sum : WrappingAdd(sum, bias[o]), o);
        }
      }
    }
  };
  return MakeKernel(context, NameOf(context.isa), std::move(run),
                    sums_at + static_cast<size_t>(size) * sizeof(int32_t));
}

// `context` with its inputs in the order input, filter, bias.
template <class Arithmetic>
std::unique_ptr<Kernel> Make(const KernelContext& context, const Arithmetic& arithmetic) {
  using Element = typename Arithmetic::Element;
  using Filter = typename Arithmetic::Filter;
  using Bias = typename Arithmetic::Bias;
  using Sum = typename Arithmetic::Accumulator;
  const Window2D window = WindowOf(context.As<TransposeConvAttributes>(), context.inputs[0]->shape,
                                   context.inputs[1]->shape, context.output.shape);
  const int64_t sums = int64_t{window.output_h} * window.output_w * window.output_depth;
  if constexpr (sizeof(Element) == 1) {
    const bool fast = context.kernels == KernelSet::kFast && !context.inputs[1]->constant.empty();
    if (const simd::Instructions* instructions = fast ? simd::InstructionsOf(context.isa) : nullptr)
      return MakeSimd(context, *instructions, window, arithmetic);
  }
  if (context.kernels == KernelSet::kFast && !context.inputs[1]->constant.empty()) {
    const std::span<const uint8_t> bytes = context.inputs[1]->constant;
    const std::span filter(reinterpret_cast<const Filter*>(bytes.data()), bytes.size() / sizeof(Filter));
    return MakeKernel(
        context, "portable",
        [arithmetic,
         packed = portable::PackTransposeConv(window, arithmetic, filter)](const KernelBuffers& io) {
          portable::TransposeConv(packed, arithmetic, io.input<Element>(2), io.input<Bias>(3),
                                  io.output<Element>(), reinterpret_cast<Sum*>(io.scratch));
        },
        static_cast<size_t>(sums) * sizeof(Sum));
  }
  return MakeKernel(
      context, "reference",
      [=](const KernelBuffers& io) {
        TransposeConv(window, arithmetic, io.input<Element>(2), io.input<Filter>(1), io.input<Bias>(3),
                      io.output<Element>(), reinterpret_cast<Sum*>(io.scratch));
      },
      static_cast<size_t>(sums) * sizeof(Sum));
}

Expected<std::unique_ptr<Kernel>> PrepareQuantized(const KernelContext& context, Activation activation) {
  QAT_RETURN_IF_ERROR(CheckMacTypes(context, DType::kInt32));
  if (context.inputs[0]->type == DType::kUInt8) {
    QAT_ASSIGN_OR_RETURN(const MacScales scales, ReadMacScales(context, LimitsOf<uint8_t>()));
    FixedPointArithmetic<uint8_t> arithmetic;
    SetOffsets(scales, activation, arithmetic);
    QAT_ASSIGN_OR_RETURN(arithmetic.multiplier, MacMultiplier(scales));
    return Make(context, arithmetic);
  }
  QAT_ASSIGN_OR_RETURN(const ChannelScales scales, ReadChannelScales(context, 0));
  ChannelFixedPointArithmetic<int8_t> arithmetic;
  SetOffsets(scales.input, scales.output, activation, arithmetic);
  QAT_ASSIGN_OR_RETURN(arithmetic.multipliers, ChannelMultipliers(scales));
  return Make(context, arithmetic);
}

template <class Sum>
Expected<std::unique_ptr<Kernel>> PrepareInt16With(const KernelContext& context) {
  QAT_ASSIGN_OR_RETURN(const auto arithmetic, ReadInt16Arithmetic<Sum>(context, 0));
  return Make(context, arithmetic);
}

Expected<std::unique_ptr<Kernel>> PrepareInt16(const KernelContext& context) {
  QAT_ASSIGN_OR_RETURN(const DType sums,
                       SumTypeOfInt16(context, context.As<TransposeConvAttributes>().quantized_bias_type));
  QAT_RETURN_IF_ERROR(CheckMacTypes(context, sums));
  return sums == DType::kInt32 ? PrepareInt16With<int32_t>(context) : PrepareInt16With<int64_t>(context);
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& given) {
  std::vector<const KernelTensor*> inputs = {given.inputs[2], given.inputs[1]};
  if (given.input(3) != nullptr) inputs.push_back(given.input(3));
  KernelContext context = {given.definition, given.attributes, inputs, given.output, given.kernels};
  context.isa = given.isa;
  const Activation activation = FusedActivation(context.attributes);
  const DType type = context.inputs[0]->type;
  if (type == DType::kUInt8 || type == DType::kInt8) return PrepareQuantized(context, activation);
  if (type == DType::kInt16) return PrepareInt16(context);
  if (type != DType::kFloat32) return UnsupportedTypes(given);
  QAT_RETURN_IF_ERROR(CheckMacTypes(context, DType::kFloat32));
  return Make(context, FloatActivationRange(activation));
}

}  // namespace

// Version 5 brought 32-bit biases of int16.
const OpKernels& TransposeConvKernels() {
  static const OpKernels kKernels = {Prepare, 5};
  return kKernels;
}

}  // namespace qat
