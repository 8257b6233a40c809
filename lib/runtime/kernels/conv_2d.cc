// Prepare of CONV_2D, alone or followed by a max pool.
#include <algorithm>
#include <optional>

#include "runtime/kernels/hybrid.h"
#include "runtime/kernels/portable/conv_2d.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/conv_2d.h"
#include "runtime/kernels/simd/conv_2d.h"
#include "runtime/kernels/simd/float_matrix.h"
#include "runtime/kernels/simd/int16_product.h"

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

// Null if only the portable kernel or the reference can run it. The bias is folded with the zero points,
// once.
const simd::Instructions* SimdInstructions(const KernelContext& context, const Window2D& window) {
  if (context.kernels != KernelSet::kFast || window.groups != 1 || !HasConstantFilter(context) ||
      !simd::CanConv2D(window)) {
    return nullptr;
  }
  return simd::InstructionsOf(context.isa);
}

// Windows side by side inside the image, and one scale: then the largest of the sums becomes the largest of
// the bytes.
template <class Arithmetic>
std::optional<simd::PoolWindows> PoolOf(const KernelContext& context, const Arithmetic& arithmetic) {
  if (context.pool == nullptr) return std::nullopt;
  const Pool2DAttributes& a = context.pool->attributes;
  const KernelTensor& output = context.pool->output;
  const simd::PoolWindows pool{a.filter_h, a.filter_w, output.shape[1], output.shape[2]};
  const bool side_by_side = a.stride_h == a.filter_h && a.stride_w == a.filter_w;
  const bool inside = int64_t{pool.output_h} * pool.filter_h <= context.output.shape[1] &&
                      int64_t{pool.output_w} * pool.filter_w <= context.output.shape[2];
  const auto params = PerTensorParams(output, "output", LimitsOf<typename Arithmetic::Element>());
  const bool same_scale = params.ok() && params->scale == context.output.scale[0] &&
                          params->zero_point == arithmetic.output_offset;
  if (!side_by_side || !inside || !same_scale) return std::nullopt;
  if (pool.taps() == 1 || pool.taps() > simd::Product::kMaxPoolTaps) return std::nullopt;
  return pool;
}

// The clamp of the pool follows that of the convolution.
QuantizedLimits ClampOf(const PoolAfter& pool, QuantizedLimits limits) {
  const QuantizationParams params{pool.output.scale[0], static_cast<int32_t>(pool.output.zero_point[0])};
  return QuantizedActivationRange(pool.attributes.activation, params, limits);
}

template <class Arithmetic>
std::unique_ptr<Kernel> MakeSimd(const KernelContext& context, const simd::Instructions& instructions,
                                 const Window2D& window, const Arithmetic& arithmetic) {
  const std::optional<simd::PoolWindows> pool = PoolOf(context, arithmetic);
  const simd::Operands operands = simd::OperandsOf(arithmetic);
  const simd::Requantization requantization = simd::RequantizationOf(arithmetic);
  auto conv = simd::PrepareConv2D(
      instructions, window, {context.inputs[1]->constant, ConstantBias(context), operands, requantization},
      pool.has_value() ? &*pool : nullptr);
  const bool pools = conv.pool.taps() > 1;
  if (pools) conv.filter.NarrowClamp(ClampOf(*context.pool, LimitsOf<typename Arithmetic::Element>()));
  const size_t scratch = ScratchSize(conv, context.threads);
  auto kernel = MakeKernel(
      context, NameOf(context.isa),
      [conv = std::move(conv)](const KernelBuffers& io) {
        simd::Run(conv, io.input<uint8_t>(0), io.output<uint8_t>(), io.scratch, io.pool);
      },
      scratch);
  if (pools) kernel->RunPool();
  return kernel;
}

std::unique_ptr<Kernel> MakeFloat(const KernelContext& context, simd::FloatConv2D conv,
                                  const FloatArithmetic& arithmetic) {
  const size_t scratch = ScratchSize(conv, context.threads);
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
  using Filter = typename Arithmetic::Filter;
  using Bias = typename Arithmetic::Bias;
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    const int64_t image_size = int64_t{window.input_h} * window.input_w * window.input_depth;
    const int64_t output_size = int64_t{window.output_h} * window.output_w * window.output_depth;
    for (int32_t n = 0; n < window.batch; ++n) {
      ForRowsOf(io.pool, window, kWorkOfAReferenceTap, [&](const Window2D& rows, int64_t first, int) {
        reference::Conv2D(rows, arithmetic, io.input<Element>(0) + n * image_size, io.input<Filter>(1),
                          io.input<Bias>(2), io.output<Element>() + n * output_size + first);
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

// Lines of the output at a time, each thread with its own sums of one block.
struct Int16Conv2D {
  static constexpr int64_t kBlockRows = 48;  // about: whole lines

  Window2D window;
  portable::PatchLayout layout;
  simd::Int16Product product;

  int64_t lines() const { return std::max<int64_t>(kBlockRows / window.output_w, 1); }
  size_t image_bytes() const {
    return CacheLines(static_cast<size_t>(layout.ImageElements(window)) * sizeof(int16_t));
  }
  size_t block_bytes() const {
    return CacheLines(static_cast<size_t>(lines() * window.output_w) * product.RowScratch());
  }
  static size_t CacheLines(size_t bytes) { return (bytes + 63) / 64 * 64; }
};

// Calls store(first value of the output, sums of its units) for each pixel of an image.
template <class Store>
void Run(const Int16Conv2D& conv, const int16_t* image, uint8_t* scratch, ThreadPool* pool,
         const Store& store) {
  const Window2D& w = conv.window;
  auto* const padded = reinterpret_cast<int16_t*>(scratch);
  portable::PadRows(w, conv.layout, image, padded, 0, conv.layout.padded_h,
                    [](const int16_t* from, int16_t* to, int64_t count) { std::copy_n(from, count, to); });
  const int64_t line = conv.layout.padded_w * w.input_depth, lines = conv.lines();
  const int64_t work =
      int64_t{w.output_h} * w.output_w * w.output_depth * w.filter_h * w.filter_w * w.input_depth;
  ForRuns(pool, work, w.output_h, lines, [&](int64_t begin, int64_t end, int thread) {
    uint8_t* const sums = scratch + conv.image_bytes() + static_cast<size_t>(thread) * conv.block_bytes();
    for (int64_t y = begin; y < end; y += lines) {
      const int64_t rows = std::min(lines, end - y) * w.output_w;
      conv.product.Run({padded + y * w.stride_h * line, w.output_w, int64_t{w.stride_w} * w.input_depth,
                        w.stride_h * line},
                       rows, sums, [&](int64_t row, const auto* of_row) {
                         store((y * w.output_w + row) * w.output_depth, of_row);
                       });
    }
  });
}

template <class Arithmetic>
std::unique_ptr<Kernel> MakeInt16Simd(const KernelContext& context, const simd::Instructions& instructions,
                                      const Window2D& window, const Arithmetic& arithmetic) {
  using Sum = typename Arithmetic::Accumulator;
  const portable::PatchLayout layout(window, 0);
  Int16Conv2D conv{window, layout,
                   simd::Int16Product(instructions, simd::SegmentsOf(window, layout),
                                      context.inputs[1]->constant, window.output_depth, 0)};
  const size_t scratch = conv.image_bytes() + static_cast<size_t>(context.threads) * conv.block_bytes();
  auto run = [conv = std::move(conv), arithmetic](const KernelBuffers& io) {
    const Window2D& w = conv.window;
    const Sum* const bias = io.input<Sum>(2);
    for (int64_t n = 0; n < w.batch; ++n) {
      int16_t* const output = io.output<int16_t>() + n * w.output_h * w.output_w * w.output_depth;
      Run(conv, io.input<int16_t>(0) + n * w.input_h * w.input_w * w.input_depth, io.scratch, io.pool,
          [&](int64_t first, const auto* sums) {
            for (int64_t o = 0; o < w.output_depth; ++o) {
              const auto acc = static_cast<Sum>(sums[o]);
              output[first + o] = arithmetic.Output(bias == nullptr ? acc : Arithmetic::Add(acc, bias[o]), o);
            }
          });
    }
  };
  return MakeKernel(context, NameOf(context.isa), std::move(run), scratch);
}

template <class Sum>
Expected<std::unique_ptr<Kernel>> PrepareInt16With(const KernelContext& context) {
  QAT_ASSIGN_OR_RETURN(const auto arithmetic, ReadInt16Arithmetic<Sum>(context, 0));
  const Window2D window = WindowOf(context);
  const bool fast = context.kernels == KernelSet::kFast && window.groups == 1 &&
                    !context.inputs[1]->constant.empty() && simd::CanConv2D(window);
  const simd::Instructions* const instructions = fast ? simd::Int16InstructionsOf(context.isa) : nullptr;
  if (instructions != nullptr) return MakeInt16Simd(context, *instructions, window, arithmetic);
  return MakeReference(context, window, arithmetic);
}

Expected<std::unique_ptr<Kernel>> PrepareInt16(const KernelContext& context) {
  QAT_ASSIGN_OR_RETURN(const DType sums,
                       SumTypeOfInt16(context, context.As<Conv2DAttributes>().quantized_bias_type));
  QAT_RETURN_IF_ERROR(CheckMacTypes(context, sums));
  return sums == DType::kInt32 ? PrepareInt16With<int32_t>(context) : PrepareInt16With<int64_t>(context);
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  if (IsHybrid(context)) return PrepareHybridConv2D(context, WindowOf(context));
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

// Version 6 brought groups; others types, which Prepare refuses.
const OpKernels& Conv2DKernels() {
  static const OpKernels kKernels = {Prepare, 8};
  return kKernels;
}

}  // namespace qat
