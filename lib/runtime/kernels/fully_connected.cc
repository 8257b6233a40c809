// Prepare of FULLY_CONNECTED.
#include <algorithm>

#include "runtime/kernels/hybrid.h"
#include "runtime/kernels/portable/matrix.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/fully_connected.h"
#include "runtime/kernels/simd/float_matrix.h"
#include "runtime/kernels/simd/int16_product.h"
#include "runtime/kernels/simd/matrix.h"

namespace qat {
namespace {

MatrixShape ShapeOf(const KernelContext& context) {
  const Shape& filter = context.inputs[1]->shape;
  return {FlatSize(context.inputs[0]->shape) / filter[1], filter[1], filter[0]};
}

// The filter must be known now: it is packed once.
bool WantsFast(const KernelContext& context, const MatrixShape& shape) {
  return context.kernels == KernelSet::kFast && !context.inputs[1]->constant.empty() &&
         shape.acc_depth <= portable::kLargestInt16Depth;
}

template <class Arithmetic>
std::unique_ptr<Kernel> MakeReference(const KernelContext& context, const MatrixShape& shape,
                                      const Arithmetic& arithmetic) {
  using Element = typename Arithmetic::Element;
  using Filter = typename Arithmetic::Filter;
  using Bias = typename Arithmetic::Bias;
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    reference::FullyConnected(shape, arithmetic, io.input<Element>(0), io.input<Filter>(1), io.input<Bias>(2),
                              io.output<Element>());
  });
}

// Null if only the portable kernel or the reference can run it. The bias is folded with the zero points,
// once.
const simd::Instructions* SimdInstructions(const KernelContext& context) {
  if (context.kernels != KernelSet::kFast || !HasConstantFilter(context)) return nullptr;
  return simd::InstructionsOf(context.isa);
}

template <class Arithmetic>
std::unique_ptr<Kernel> MakeSimd(const KernelContext& context, const simd::Instructions& instructions,
                                 const MatrixShape& shape, const Arithmetic& arithmetic) {
  simd::PackedFilter filter(instructions, {{0}, shape.acc_depth}, context.inputs[1]->constant, shape.units,
                            ConstantBias(context), simd::OperandsOf(arithmetic),
                            simd::RequantizationOf(arithmetic));
  simd::FullyConnected layer{shape, std::move(filter)};
  const size_t scratch = ScratchSize(layer);
  return MakeKernel(
      context, NameOf(context.isa),
      [layer = std::move(layer)](const KernelBuffers& io) {
        simd::Run(layer, io.input<uint8_t>(0), io.output<uint8_t>(), io.scratch, io.pool);
      },
      scratch);
}

template <class Arithmetic>
std::unique_ptr<Kernel> MakeQuantized(const KernelContext& context, const Arithmetic& arithmetic) {
  using Element = typename Arithmetic::Element;
  const MatrixShape shape = ShapeOf(context);
  if (const simd::Instructions* instructions = SimdInstructions(context)) {
    return MakeSimd(context, *instructions, shape, arithmetic);
  }
  if (!WantsFast(context, shape)) return MakeReference(context, shape, arithmetic);
  const std::span<const uint8_t> bytes = context.inputs[1]->constant;
  const std::span values(reinterpret_cast<const Element*>(bytes.data()), bytes.size());
  auto filter = portable::PackInt16(values, shape.units, shape.acc_depth, arithmetic.filter_offset);
  const auto scratch = static_cast<size_t>(shape.rows * filter.row_size) * sizeof(int16_t);
  return MakeKernel(
      context, "portable",
      [shape, arithmetic, filter = std::move(filter)](const KernelBuffers& io) {
        auto* const rows = reinterpret_cast<int16_t*>(io.scratch);
        portable::WidenRows(shape.rows, shape.acc_depth, filter.row_size, arithmetic.input_offset,
                            io.input<Element>(0), rows);
        portable::MultiplyInt16(shape.rows, rows, filter, arithmetic, io.input<int32_t>(2),
                                io.output<Element>());
      },
      scratch);
}

std::unique_ptr<Kernel> MakeFloat(const KernelContext& context, simd::FloatFullyConnected layer,
                                  const FloatArithmetic& arithmetic) {
  const size_t scratch = ScratchSize(layer);
  return MakeKernel(
      context, NameOf(context.isa),
      [layer = std::move(layer), arithmetic](const KernelBuffers& io) {
        simd::Run(layer, arithmetic, io.input<float>(0), io.input<float>(2), io.output<float>(), io.scratch,
                  io.pool);
      },
      scratch);
}

Expected<std::unique_ptr<Kernel>> PrepareFloat(const KernelContext& context) {
  QAT_RETURN_IF_ERROR(CheckMacTypes(context, DType::kFloat32));
  const MatrixShape shape = ShapeOf(context);
  const FloatArithmetic arithmetic = FloatActivationRange(FusedActivation(context.attributes));
  if (!WantsFast(context, shape)) return MakeReference(context, shape, arithmetic);
  const std::span values(reinterpret_cast<const float*>(context.inputs[1]->constant.data()),
                         static_cast<size_t>(shape.units * shape.acc_depth));
  if (const simd::Instructions* instructions = simd::InstructionsOf(context.isa)) {
    simd::FloatFilter filter(*instructions, {{0}, shape.acc_depth}, values, shape.units);
    return MakeFloat(context, {shape, std::move(filter)}, arithmetic);
  }
  auto filter = portable::PackFloat(values, shape.units, shape.acc_depth);
  return MakeKernel(context, "portable",
                    [shape, arithmetic, filter = std::move(filter)](const KernelBuffers& io) {
                      portable::MultiplyFloat(shape.rows, io.input<float>(0), filter, arithmetic,
                                              io.input<float>(2), io.output<float>());
                    });
}

Expected<std::unique_ptr<Kernel>> PrepareUInt8(const KernelContext& context) {
  QAT_RETURN_IF_ERROR(CheckMacTypes(context, DType::kInt32));
  QAT_ASSIGN_OR_RETURN(const MacScales scales, ReadMacScales(context, LimitsOf<uint8_t>()));
  const Activation activation = FusedActivation(context.attributes);
  if (UsesMultipliers(context.profile)) {
    FixedPointArithmetic<uint8_t> arithmetic;
    SetOffsets(scales, activation, arithmetic);
    QAT_ASSIGN_OR_RETURN(arithmetic.multiplier, MacMultiplier(scales));
    return MakeQuantized(context, arithmetic);
  }
  DoubleArithmetic<uint8_t> arithmetic;
  SetOffsets(scales, activation, arithmetic);
  QAT_ASSIGN_OR_RETURN(arithmetic.real_multiplier, MacRealMultiplier(scales));
  return MakeQuantized(context, arithmetic);
}

template <class Arithmetic>
Expected<std::unique_ptr<Kernel>> MakeInt8(const KernelContext& context, Arithmetic arithmetic,
                                           const MacScales& scales) {
  SetOffsets(scales, FusedActivation(context.attributes), arithmetic);
  return MakeQuantized(context, arithmetic);
}

Expected<std::unique_ptr<Kernel>> PreparePerAxis(const KernelContext& context) {
  QAT_ASSIGN_OR_RETURN(const ChannelScales scales, ReadChannelScales(context, 0));
  const MacScales offsets = {scales.input, {1, 0}, scales.output};
  if (UsesMultipliers(context.profile)) {
    ChannelFixedPointArithmetic<int8_t> arithmetic;
    QAT_ASSIGN_OR_RETURN(arithmetic.multipliers, ChannelMultipliers(scales));
    return MakeInt8(context, std::move(arithmetic), offsets);
  }
  ChannelDoubleArithmetic<int8_t> arithmetic;
  QAT_ASSIGN_OR_RETURN(arithmetic.real_multipliers, ChannelRealMultipliers(scales));
  return MakeInt8(context, std::move(arithmetic), offsets);
}

Expected<std::unique_ptr<Kernel>> PrepareInt8(const KernelContext& context) {
  QAT_RETURN_IF_ERROR(CheckMacTypes(context, DType::kInt32));
  if (context.inputs[1]->scale.size() > 1) return PreparePerAxis(context);
  QAT_ASSIGN_OR_RETURN(const MacScales scales, ReadMacScales(context, LimitsOf<int8_t>()));
  if (UsesMultipliers(context.profile)) {
    FixedPointArithmetic<int8_t> arithmetic;
    QAT_ASSIGN_OR_RETURN(arithmetic.multiplier, MacMultiplier(scales));
    return MakeInt8(context, arithmetic, scales);
  }
  DoubleArithmetic<int8_t> arithmetic;
  QAT_ASSIGN_OR_RETURN(arithmetic.real_multiplier, MacRealMultiplier(scales));
  return MakeInt8(context, arithmetic, scales);
}

// Rows of an odd number of values are copied, each with one value more.
template <class Arithmetic>
std::unique_ptr<Kernel> MakeInt16(const KernelContext& context, const Arithmetic& arithmetic) {
  using Sum = typename Arithmetic::Accumulator;
  const MatrixShape shape = ShapeOf(context);
  const bool fast = context.kernels == KernelSet::kFast && !context.inputs[1]->constant.empty();
  const simd::Instructions* const instructions = fast ? simd::Int16InstructionsOf(context.isa) : nullptr;
  if (instructions == nullptr) return MakeReference(context, shape, arithmetic);
  simd::Int16Product product(*instructions, {{0}, shape.acc_depth}, context.inputs[1]->constant, shape.units,
                             -arithmetic.filter_offset);
  const int64_t step = (shape.acc_depth + 1) / 2 * 2;
  const size_t copied =
      step == shape.acc_depth ? 0 : static_cast<size_t>(shape.rows * step) * sizeof(int16_t);
  const size_t begin = (copied + 63) / 64 * 64;
  const size_t scratch = begin + static_cast<size_t>(shape.rows) * product.RowScratch();
  auto run = [=, product = std::move(product)](const KernelBuffers& io) {
    const auto* rows = io.input<int16_t>(0);
    if (copied > 0) {
      auto* const even = reinterpret_cast<int16_t*>(io.scratch);
      for (int64_t r = 0; r < shape.rows; ++r) {
        std::copy_n(rows + r * shape.acc_depth, shape.acc_depth, even + r * step);
        even[r * step + shape.acc_depth] = 0;
      }
      rows = even;
    }
    const Sum* const bias = io.input<Sum>(2);
    product.Run({rows, 1, 0, step}, shape.rows, io.scratch + begin, [&](int64_t row, const auto* sums) {
      int16_t* const output = io.output<int16_t>() + row * shape.units;
      for (int64_t u = 0; u < shape.units; ++u) {
        const auto acc = static_cast<Sum>(sums[u]);
        output[u] = arithmetic.Output(bias == nullptr ? acc : Arithmetic::Add(acc, bias[u]), u);
      }
    });
  };
  return MakeKernel(context, NameOf(context.isa), std::move(run), scratch);
}

template <class Sum>
Expected<std::unique_ptr<Kernel>> PrepareInt16PerAxis(const KernelContext& context) {
  if (UsesMultipliers(context.profile)) {
    QAT_ASSIGN_OR_RETURN(const auto arithmetic, ReadInt16Arithmetic<Sum>(context, 0));
    return MakeInt16(context, arithmetic);
  }
  QAT_ASSIGN_OR_RETURN(const ChannelScales scales, ReadChannelScales(context, 0));
  ChannelDoubleArithmetic<int16_t, int8_t, Sum> arithmetic;
  SetOffsets(scales.input, scales.output, FusedActivation(context.attributes), arithmetic);
  QAT_ASSIGN_OR_RETURN(arithmetic.real_multipliers, ChannelRealMultipliers(scales));
  return MakeInt16(context, arithmetic);
}

// One scale for the whole filter may have a zero point, too.
template <class Sum>
Expected<std::unique_ptr<Kernel>> PrepareInt16With(const KernelContext& context) {
  if (context.inputs[1]->scale.size() > 1) return PrepareInt16PerAxis<Sum>(context);
  QAT_ASSIGN_OR_RETURN(const MacScales scales, ReadMacScales(context, LimitsOf<int16_t>()));
  const Activation activation = FusedActivation(context.attributes);
  if (UsesMultipliers(context.profile)) {
    FixedPointArithmetic<int16_t, int8_t, Sum> arithmetic;
    SetOffsets(scales, activation, arithmetic);
    QAT_ASSIGN_OR_RETURN(arithmetic.multiplier, MacMultiplier(scales));
    return MakeInt16(context, arithmetic);
  }
  DoubleArithmetic<int16_t, int8_t, Sum> arithmetic;
  SetOffsets(scales, activation, arithmetic);
  QAT_ASSIGN_OR_RETURN(arithmetic.real_multiplier, MacRealMultiplier(scales));
  return MakeInt16(context, arithmetic);
}

Expected<std::unique_ptr<Kernel>> PrepareInt16(const KernelContext& context) {
  QAT_ASSIGN_OR_RETURN(const DType sums,
                       SumTypeOfInt16(context, context.As<FullyConnectedAttributes>().quantized_bias_type));
  QAT_RETURN_IF_ERROR(CheckMacTypes(context, sums));
  return sums == DType::kInt32 ? PrepareInt16With<int32_t>(context) : PrepareInt16With<int64_t>(context);
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  if (IsHybrid(context)) return PrepareHybridFullyConnected(context, ShapeOf(context));
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

// Later versions brought sparse and four-bit filters, which are expanded before, and int16 filters, which
// Prepare refuses.
const OpKernels& FullyConnectedKernels() {
  static const OpKernels kKernels = {Prepare, 14};
  return kKernels;
}

}  // namespace qat
