// Prepare of MEAN and REDUCE_MAX.
#include <algorithm>
#include <limits>
#include <optional>
#include <type_traits>

#include "runtime/kernels/portable/elementwise.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reduction.h"
#include "runtime/kernels/reference/mean.h"
#include "runtime/kernels/simd/matrix.h"

namespace qat {
namespace {

// Where the reduced axes lie side by side: [outer, count, inner] to [outer, inner].
struct Block {
  int64_t outer = 1;
  int64_t inner = 1;
};

std::optional<Block> BlockOf(const ReductionPlan& plan) {
  Block block;
  bool behind = false;
  for (size_t i = 0; i < plan.input.size(); ++i) {
    const bool reduced = plan.steps[i] == 0;
    if (reduced && behind && block.inner > 1) return std::nullopt;
    if (reduced) {
      behind = true;
    } else {
      (behind ? block.inner : block.outer) *= plan.input[i];
    }
  }
  return block;
}

// Each sum in the order of the reference.
std::unique_ptr<Kernel> MakeFloatBlock(const KernelContext& context, const Block& block, int64_t count) {
  return MakeKernel(context, "portable", [=](const KernelBuffers& io) {
    float* means = io.output<float>();
    for (int64_t i = 0; i < block.outer; ++i, means += block.inner) {
      std::fill_n(means, block.inner, 0.0f);
      portable::SumRows(io.input<float>(0) + i * count * block.inner, count, block.inner, block.inner, means);
      for (int64_t k = 0; k < block.inner; ++k) means[k] /= static_cast<float>(count);
    }
  });
}

// Null if only the reference can run it. Sums stay inside int32.
const simd::Instructions* SimdInstructions(const KernelContext& context, const ReductionPlan& plan) {
  const bool wanted =
      context.kernels == KernelSet::kFast && plan.results > 0 && plan.count > 0 && plan.count < 1 << 23;
  return wanted && BlockOf(plan).has_value() ? simd::InstructionsOf(context.isa) : nullptr;
}

template <class T, class F>
std::unique_ptr<Kernel> MakeSimd(const KernelContext& context, const simd::Instructions& instructions,
                                 const ReductionPlan& plan, F finish) {
  const Block block = *BlockOf(plan);
  const uint8_t flip = std::is_signed_v<T> ? 0x80 : 0;
  return MakeKernel(
      context, NameOf(context.isa),
      [=, &instructions, count = plan.count](const KernelBuffers& io) {
        auto* const sums = reinterpret_cast<int32_t*>(io.scratch);
        const int64_t size = count * block.inner;
        for (int64_t i = 0; i < block.outer; ++i) {
          std::fill_n(sums, block.inner, 0);
          instructions.sum_rows({io.inputs[0] + i * size, count, block.inner, block.inner, flip, sums});
          std::transform(sums, sums + block.inner, io.output<T>() + i * block.inner,
                         [&](int64_t sum) { return finish(sum - flip * count); });
        }
      },
      static_cast<size_t>(block.inner) * sizeof(int32_t));
}

// Sums lie in the scratch memory.
template <class T, class Sum, class F>
std::unique_ptr<Kernel> Make(const KernelContext& context, const ReductionPlan& plan, F finish) {
  return MakeKernel(
      context, "reference",
      [plan, finish](const KernelBuffers& io) {
        auto* const sums = reinterpret_cast<Sum*>(io.scratch);
        std::fill_n(sums, plan.results, Sum{0});
        if (FlatSize(plan.input) > 0) {
          reference::Reduce(plan.input, plan.steps, 0, io.input<T>(0), sums,
                            [](Sum& sum, T value) { sum = WrappingSum(sum, value); });
        }
        std::transform(sums, sums + plan.results, io.output<T>(), finish);
      },
      static_cast<size_t>(plan.results) * sizeof(Sum));
}

template <class T>
Expected<std::unique_ptr<Kernel>> PrepareQuantized(const KernelContext& context, const ReductionPlan& plan) {
  constexpr QuantizedLimits kLimits = LimitsOf<T>();
  QAT_ASSIGN_OR_RETURN(const QuantizationParams input, PerTensorParams(*context.inputs[0], "input", kLimits));
  QAT_ASSIGN_OR_RETURN(const QuantizationParams output, PerTensorParams(context.output, "output", kLimits));
  QAT_ASSIGN_OR_RETURN(FixedPointMultiplier multiplier,
                       CheckedMultiplier(static_cast<double>(input.scale) / static_cast<double>(output.scale),
                                         "input scale over output scale"));
  multiplier = reference::MeanMultiplier(multiplier, plan.count);
  const int64_t zeros = input.zero_point * plan.count;
  const auto finish = [=](int64_t sum) {
    const int32_t mean = MultiplyByQuantizedMultiplier(static_cast<int32_t>(sum - zeros), multiplier);
    return static_cast<T>(
        std::clamp(WrappingAdd(mean, output.zero_point), kLimits.quant_min, kLimits.quant_max));
  };
  if constexpr (sizeof(T) == 1) {
    if (const simd::Instructions* instructions = SimdInstructions(context, plan))
      return MakeSimd<T>(context, *instructions, plan, finish);
  }
  return Make<T, int64_t>(context, plan, finish);
}

// Rounded towards zero.
template <class T>
std::unique_ptr<Kernel> MakeIntegers(const KernelContext& context, const ReductionPlan& plan) {
  const int64_t count = std::max<int64_t>(plan.count, 1);
  return Make<T, int64_t>(context, plan, [=](int64_t sum) { return static_cast<T>(sum / count); });
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const DType type = context.inputs[0]->type;
  if (context.output.type != type) return UnsupportedTypes(context);
  const ReductionPlan plan = ReductionOf(context);
  if (type == DType::kUInt8) return PrepareQuantized<uint8_t>(context, plan);
  if (type == DType::kInt8) return PrepareQuantized<int8_t>(context, plan);
  if (type == DType::kInt16) return PrepareQuantized<int16_t>(context, plan);
  if (type == DType::kInt32) return MakeIntegers<int32_t>(context, plan);
  if (type == DType::kInt64) return MakeIntegers<int64_t>(context, plan);
  if (type != DType::kFloat32) return UnsupportedTypes(context);
  const std::optional<Block> block = BlockOf(plan);
  if (context.kernels == KernelSet::kFast && plan.results > 0 && plan.count > 0 && block.has_value())
    return MakeFloatBlock(context, *block, plan.count);
  const auto count = static_cast<float>(plan.count);
  return Make<float, float>(context, plan, [=](float sum) { return sum / count; });
}

template <class T>
std::unique_ptr<Kernel> MakeMax(const KernelContext& context) {
  return MakeKernel(context, "reference", [plan = ReductionOf(context)](const KernelBuffers& io) {
    std::fill_n(io.output<T>(), plan.results, std::numeric_limits<T>::lowest());
    if (FlatSize(plan.input) == 0) return;
    reference::Reduce(plan.input, plan.steps, 0, io.input<T>(0), io.output<T>(),
                      [](T& largest, T value) { largest = value > largest ? value : largest; });
  });
}

Expected<std::unique_ptr<Kernel>> PrepareMax(const KernelContext& context) {
  const DType type = context.inputs[0]->type;
  if (context.output.type != type) return UnsupportedTypes(context);
  if (type == DType::kFloat32) return MakeMax<float>(context);
  if (type == DType::kInt32) return MakeMax<int32_t>(context);
  if (type == DType::kInt64) return MakeMax<int64_t>(context);
  if (type != DType::kUInt8 && type != DType::kInt8 && type != DType::kInt16)
    return UnsupportedTypes(context);
  QAT_RETURN_IF_ERROR(CheckOutputQuantization(context, LimitsOf(type)));
  if (type == DType::kInt16) return MakeMax<int16_t>(context);
  return type == DType::kInt8 ? MakeMax<int8_t>(context) : MakeMax<uint8_t>(context);
}

}  // namespace

// Version 3 of both brought int16.
const OpKernels& MeanKernels() {
  static const OpKernels kKernels = {Prepare, 3};
  return kKernels;
}

const OpKernels& ReduceMaxKernels() {
  static const OpKernels kKernels = {PrepareMax, 3};
  return kKernels;
}

}  // namespace qat
