// Prepare of ADD, SUB, MUL, MAXIMUM, MINIMUM and PRELU.
#include "runtime/kernels/reference/binary.h"

#include <cmath>
#include <limits>
#include <type_traits>

#include "quant/power_of_two.h"
#include "runtime/kernels/pair_kernel.h"
#include "runtime/kernels/portable/elementwise.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/broadcast.h"
#include "runtime/kernels/simd/elementwise.h"
#include "runtime/kernels/simd/matrix.h"

namespace qat {
namespace {

// Values that a thread takes at a time, and the work of one in multiply-accumulates (estimate).
constexpr int64_t kRun = 4096, kWorkOfAPair = 8;

// Null if only the reference can run it: shapes that broadcast otherwise, or no vectors.
const simd::Instructions* SimdInstructions(const KernelContext& context) {
  const bool can =
      context.inputs[0]->shape == context.inputs[1]->shape ||
      reference::RepeatedRowsOf(context.inputs[0]->shape, context.inputs[1]->shape, context.output.shape);
  return context.kernels == KernelSet::kFast && can ? simd::InstructionsOf(context.isa) : nullptr;
}

// Rows of `size` side by side, `all` values of them.
template <class T>
void Tile(const T* row, int64_t size, int64_t all, T* tile) {
  std::copy_n(row, size, tile);
  for (int64_t have = size; have < all; have *= 2) std::copy_n(tile, std::min(have, all - have), tile + have);
}

// One operand repeats its rows. Short ones are laid side by side, once for all their repetitions. `pairs`
// takes both operands, how many values, and the output.
template <class T, class Pairs>
std::unique_ptr<Kernel> MakeRepeating(const KernelContext& context, std::string_view name, Pairs pairs) {
  constexpr int64_t kTile = 512;  // values
  const auto r =
      *reference::RepeatedRowsOf(context.inputs[0]->shape, context.inputs[1]->shape, context.output.shape);
  const int64_t copies =
      std::clamp<int64_t>(kTile / std::max<int64_t>(r.size, 1), 1, std::max<int64_t>(r.repeats, 1));
  const auto run = [=, pairs = std::move(pairs)](const KernelBuffers& io) {
    const T* whole = io.input<T>(r.second_repeats ? 0 : 1);
    const T* row = io.input<T>(r.second_repeats ? 1 : 0);
    T* output = io.output<T>();
    T* scratch = reinterpret_cast<T*>(io.scratch);
    for (int64_t i = 0; i < r.rows; ++i, row += r.size) {
      const T* tile = copies == 1 ? row : scratch;
      if (copies > 1) Tile(row, r.size, copies * r.size, scratch);
      for (int64_t done = 0; done < r.repeats; done += copies) {
        const int64_t count = std::min(copies, r.repeats - done) * r.size;
        pairs(r.second_repeats ? whole : tile, r.second_repeats ? tile : whole, count, output);
        whole += count;
        output += count;
      }
    }
  };
  return ElementByElement(
      context,
      MakeKernel(context, name, run, copies == 1 ? 0 : static_cast<size_t>(copies * r.size) * sizeof(T)));
}

std::unique_ptr<Kernel> MakeSimd(const KernelContext& context, simd::PairOperator pairs) {
  if (context.inputs[0]->shape != context.inputs[1]->shape) {
    const auto run = [pairs = std::move(pairs)](const uint8_t* a, const uint8_t* b, int64_t count,
                                                uint8_t* output) { pairs.Run(a, b, count, output); };
    return MakeRepeating<uint8_t>(context, NameOf(context.isa), run);
  }
  const int64_t size = FlatSize(context.output.shape);
  const auto run = [pairs = std::move(pairs), size](const KernelBuffers& io) {
    ForRuns(io.pool, size * kWorkOfAPair, size, kRun, [&](int64_t begin, int64_t end, int) {
      pairs.Run(io.input<uint8_t>(0) + begin, io.input<uint8_t>(1) + begin, end - begin,
                io.output<uint8_t>() + begin);
    });
  };
  return ElementByElement(context, MakeKernel(context, NameOf(context.isa), run));
}

// Fewer values than this at a time take longer to lay out than one by one (16 by 8 of a layer normalization).
constexpr int64_t kLeastRepeated = 32;

bool HasLongRepetitions(const KernelContext& context) {
  const auto r =
      reference::RepeatedRowsOf(context.inputs[0]->shape, context.inputs[1]->shape, context.output.shape);
  return r && r->size * r->repeats >= kLeastRepeated;
}

using FloatPairs = void (*)(const FloatArithmetic&, int64_t, const float*, const float*, float*);

// A float function followed by the clamp of the fused activation; `same_shape` is the same in one loop.
template <class F>
std::unique_ptr<Kernel> MakeFloat(const KernelContext& context, F f, FloatPairs same_shape = nullptr) {
  const FloatArithmetic clamp = FloatActivationRange(FusedActivation(context.attributes));
  if (context.kernels == KernelSet::kFast && same_shape != nullptr &&
      context.inputs[0]->shape == context.inputs[1]->shape) {
    const int64_t size = FlatSize(context.output.shape);
    const auto run = [=](const KernelBuffers& io) {
      ForRuns(io.pool, size * kWorkOfAPair, size, kRun, [&](int64_t begin, int64_t end, int) {
        same_shape(clamp, end - begin, io.input<float>(0) + begin, io.input<float>(1) + begin,
                   io.output<float>() + begin);
      });
    };
    return ElementByElement(context, MakeKernel(context, "portable", run));
  }
  if (context.kernels == KernelSet::kFast && same_shape != nullptr && HasLongRepetitions(context)) {
    return MakeRepeating<float>(context, "portable",
                                [=](const float* a, const float* b, int64_t count, float* output) {
                                  same_shape(clamp, count, a, b, output);
                                });
  }
  return MakePairKernel<float>(context, [=](float a, float b) { return clamp.Output(f(a, b)); });
}

struct PairScales {
  QuantizationParams a;
  QuantizationParams b;
  QuantizationParams output;
};

template <class T>
Expected<PairScales> ReadScales(const KernelContext& context, reference::QuantizedPair& pair) {
  constexpr QuantizedLimits kLimits = LimitsOf<T>();
  PairScales scales;
  QAT_ASSIGN_OR_RETURN(scales.a, PerTensorParams(*context.inputs[0], "first input", kLimits));
  QAT_ASSIGN_OR_RETURN(scales.b, PerTensorParams(*context.inputs[1], "second input", kLimits));
  QAT_ASSIGN_OR_RETURN(scales.output, PerTensorParams(context.output, "output", kLimits));
  pair.zero_point_a = scales.a.zero_point;
  pair.zero_point_b = scales.b.zero_point;
  pair.zero_point_output = scales.output.zero_point;
  pair.clamp = QuantizedActivationRange(FusedActivation(context.attributes), scales.output, kLimits);
  return scales;
}

// Null where the general rule counts.
Expected<std::unique_ptr<Kernel>> PrepareShiftedSum(const KernelContext& context, const PairScales& scales) {
  const auto a = Log2OfPowerOfTwo(scales.a.scale), b = Log2OfPowerOfTwo(scales.b.scale),
             output = Log2OfPowerOfTwo(scales.output.scale);
  if (!context.As<BinaryAttributes>().power_of_two_scales || !a || !b || !output)
    return std::unique_ptr<Kernel>();
  reference::ShiftedSum sum;
  sum.shift_a = *output - *a;
  sum.shift_b = *output - *b;
  if (sum.shift_a < 0 || sum.shift_b < 0 || (sum.shift_a != 0 && sum.shift_b != 0)) {
    return Unsupported(StrCat("with scales that are powers of 2, the output's, ", scales.output.scale,
                              ", is not the larger one of the inputs', ", scales.a.scale, " and ",
                              scales.b.scale));
  }
  // TFLite's kernel aborts the process here.
  if (context.definition.type == OpType::kAdd && context.inputs[0]->shape != context.inputs[1]->shape)
    return Unsupported("inputs of different shapes with scales that are powers of 2");
  sum.shift_a = std::min(sum.shift_a, 31);
  sum.shift_b = std::min(sum.shift_b, 31);
  sum.sign = context.definition.type == OpType::kSub ? -1 : 1;
  sum.clamp =
      QuantizedActivationRange(FusedActivation(context.attributes), scales.output, LimitsOf<int16_t>());
  return MakePairKernel<int16_t>(context, sum);
}

template <class T>
using SumOf = reference::QuantizedSumOf<sizeof(T) == 1 ? 20 : 15>;

template <class T>
Expected<std::unique_ptr<Kernel>> PrepareSum(const KernelContext& context) {
  SumOf<T> sum;
  QAT_ASSIGN_OR_RETURN(const PairScales scales, ReadScales<T>(context, sum));
  if constexpr (sizeof(T) > 1) {
    QAT_ASSIGN_OR_RETURN(auto shifted, PrepareShiftedSum(context, scales));
    if (shifted != nullptr) return shifted;
  }
  const double twice = 2 * static_cast<double>(std::max(scales.a.scale, scales.b.scale));
  const double output = twice / ((1 << sum.kLeftShift) * static_cast<double>(scales.output.scale));
  // TFLite's kernel aborts the process here.
  if (!(output < 1))
    return Unsupported(StrCat("output scale ", scales.output.scale, " is 2^", sum.kLeftShift - 1,
                              " times below the inputs'"));
  sum.multiplier_a = QuantizeMultiplier(static_cast<double>(scales.a.scale) / twice);
  sum.multiplier_b = QuantizeMultiplier(static_cast<double>(scales.b.scale) / twice);
  sum.multiplier_output = QuantizeMultiplier(output);
  if (context.definition.type == OpType::kSub) sum.sign = -1;
  if constexpr (sizeof(T) == 1) {
    if (const simd::Instructions* instructions = SimdInstructions(context)) {
      if (auto pairs = simd::PairOperator::Sum(*instructions, std::is_signed_v<T>, sum))
        return MakeSimd(context, *std::move(pairs));
    }
  }
  return MakePairKernel<T>(context, sum);
}

// The products of scales are formed in float32, as TFLite does.
template <class T>
Expected<std::unique_ptr<Kernel>> PrepareProduct(const KernelContext& context) {
  reference::QuantizedProduct product;
  QAT_ASSIGN_OR_RETURN(const PairScales scales, ReadScales<T>(context, product));
  QAT_ASSIGN_OR_RETURN(
      product.multiplier,
      CheckedMultiplier(static_cast<double>(scales.a.scale * scales.b.scale / scales.output.scale),
                        "product of the inputs' scales over the output's"));
  if constexpr (sizeof(T) == 1) {
    if (const simd::Instructions* instructions = SimdInstructions(context)) {
      if (auto pairs = simd::PairOperator::Product(*instructions, std::is_signed_v<T>, product))
        return MakeSimd(context, *std::move(pairs));
    }
  }
  return MakePairKernel<T>(context, product);
}

template <class T>
Expected<std::unique_ptr<Kernel>> PreparePReluOf(const KernelContext& context) {
  reference::QuantizedPRelu prelu;
  QAT_ASSIGN_OR_RETURN(const PairScales scales, ReadScales<T>(context, prelu));
  QAT_ASSIGN_OR_RETURN(prelu.positive,
                       CheckedMultiplier(static_cast<double>(scales.a.scale / scales.output.scale),
                                         "input scale over output scale"));
  QAT_ASSIGN_OR_RETURN(prelu.negative, CheckedMultiplier(static_cast<double>(scales.a.scale * scales.b.scale /
                                                                             scales.output.scale),
                                                         "input scale times slope scale over output scale"));
  return MakePairKernel<T>(context, prelu);
}

// TFLite compares the integers as they are, whatever their parameters say.
template <class T>
Expected<std::unique_ptr<Kernel>> PrepareExtreme(const KernelContext& context) {
  if (context.definition.type == OpType::kMaximum)
    return MakePairKernel<T>(context, [](T a, T b) { return a > b ? a : b; });
  return MakePairKernel<T>(context, [](T a, T b) { return a < b ? a : b; });
}

// Sums and products of plain integers, as models compute shapes with; they wrap. A fused activation clamps.
template <class T>
Expected<std::unique_ptr<Kernel>> PrepareIndices(const KernelContext& context) {
  using Unsigned = std::make_unsigned_t<std::common_type_t<T, int32_t>>;  // narrower ones would become int
  const Range range = ActivationRange(FusedActivation(context.attributes));
  const T low = std::isfinite(range.min) ? static_cast<T>(range.min) : std::numeric_limits<T>::min();
  const T high = std::isfinite(range.max) ? static_cast<T>(range.max) : std::numeric_limits<T>::max();
  const auto make = [&](auto f) {
    return MakePairKernel<T>(context, [=](T a, T b) {
      return std::clamp(static_cast<T>(f(static_cast<Unsigned>(a), static_cast<Unsigned>(b))), low, high);
    });
  };
  switch (context.definition.type) {
    case OpType::kAdd:
      return make([](Unsigned a, Unsigned b) { return a + b; });
    case OpType::kSub:
      return make([](Unsigned a, Unsigned b) { return a - b; });
    case OpType::kMul:
      return make([](Unsigned a, Unsigned b) { return a * b; });
    case OpType::kMaximum:
    case OpType::kMinimum:
      return PrepareExtreme<T>(context);
    default:
      return UnsupportedTypes(context);
  }
}

using PrepareFunction = Expected<std::unique_ptr<Kernel>> (*)(const KernelContext&);

// A null function: TFLite has none for this type.
Expected<std::unique_ptr<Kernel>> ByType(const KernelContext& context, PrepareFunction prepare_float,
                                         PrepareFunction uint8, PrepareFunction int8, PrepareFunction int16) {
  const DType type = context.inputs[0]->type;
  if (context.inputs[1]->type != type || context.output.type != type) return UnsupportedTypes(context);
  if (type == DType::kFloat32) return prepare_float(context);
  if (type == DType::kUInt8) return uint8(context);
  if (type == DType::kInt8) return int8(context);
  if (type == DType::kInt16 && context.output.scale.empty()) return PrepareIndices<int16_t>(context);
  if (type == DType::kInt16 && int16 != nullptr) return int16(context);
  if (type == DType::kInt32) return PrepareIndices<int32_t>(context);
  if (type == DType::kInt64) return PrepareIndices<int64_t>(context);
  return UnsupportedTypes(context);
}

Expected<std::unique_ptr<Kernel>> PrepareAdd(const KernelContext& context) {
  const auto prepare_float = [](const KernelContext& c) -> Expected<std::unique_ptr<Kernel>> {
    return MakeFloat(
        c, [](float a, float b) { return a + b; }, portable::Add);
  };
  return ByType(context, prepare_float, PrepareSum<uint8_t>, PrepareSum<int8_t>, PrepareSum<int16_t>);
}

Expected<std::unique_ptr<Kernel>> PrepareSub(const KernelContext& context) {
  const auto prepare_float = [](const KernelContext& c) -> Expected<std::unique_ptr<Kernel>> {
    return MakeFloat(
        c, [](float a, float b) { return a - b; }, portable::Subtract);
  };
  return ByType(context, prepare_float, PrepareSum<uint8_t>, PrepareSum<int8_t>, PrepareSum<int16_t>);
}

Expected<std::unique_ptr<Kernel>> PrepareMul(const KernelContext& context) {
  const auto prepare_float = [](const KernelContext& c) -> Expected<std::unique_ptr<Kernel>> {
    return MakeFloat(
        c, [](float a, float b) { return a * b; }, portable::Multiply);
  };
  return ByType(context, prepare_float, PrepareProduct<uint8_t>, PrepareProduct<int8_t>,
                PrepareProduct<int16_t>);
}

Expected<std::unique_ptr<Kernel>> PrepareExtremes(const KernelContext& context) {
  return ByType(context, PrepareExtreme<float>, PrepareExtreme<uint8_t>, PrepareExtreme<int8_t>,
                PrepareExtreme<int16_t>);
}

Expected<std::unique_ptr<Kernel>> PreparePRelu(const KernelContext& context) {
  const auto prepare_float = [](const KernelContext& c) -> Expected<std::unique_ptr<Kernel>> {
    return MakeFloat(c, [](float a, float b) { return a >= 0 ? a : a * b; });
  };
  return ByType(context, prepare_float, PreparePReluOf<uint8_t>, PreparePReluOf<int8_t>, nullptr);
}

}  // namespace

// Later versions brought other types, which Prepare refuses, and broadcasting of more axes.
const OpKernels& AddKernels() {
  static const OpKernels kKernels = {PrepareAdd, 6};
  return kKernels;
}
const OpKernels& SubKernels() {
  static const OpKernels kKernels = {PrepareSub, 5};
  return kKernels;
}
const OpKernels& MulKernels() {
  static const OpKernels kKernels = {PrepareMul, 8};
  return kKernels;
}
const OpKernels& MaximumKernels() {
  static const OpKernels kKernels = {PrepareExtremes, 4};
  return kKernels;
}
const OpKernels& MinimumKernels() {
  static const OpKernels kKernels = {PrepareExtremes, 4};
  return kKernels;
}
const OpKernels& PReluKernels() {
  static const OpKernels kKernels = {PreparePRelu, 1};
  return kKernels;
}

}  // namespace qat
