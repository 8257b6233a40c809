// Prepare of SUM, REDUCE_MIN, REDUCE_PROD, REDUCE_ANY and REDUCE_ALL.
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reduction.h"
#include "runtime/kernels/reference/mean.h"

namespace qat {
namespace {

// Every result begins with `first` and takes up its values one by one.
template <class T, class F>
std::unique_ptr<Kernel> Make(const KernelContext& context, T first, F take) {
  return MakeKernel(context, "reference",
                    [plan = ReductionOf(context), first, take](const KernelBuffers& io) {
                      std::fill_n(io.output<T>(), plan.results, first);
                      if (FlatSize(plan.input) == 0) return;
                      reference::Reduce(plan.input, plan.steps, 0, io.input<T>(0), io.output<T>(),
                                        [&](T& result, T value) { result = take(result, value); });
                    });
}

template <class T>
T Product(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using Unsigned = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<Unsigned>(a) * static_cast<Unsigned>(b));
  } else {
    return a * b;
  }
}

template <class T>
std::unique_ptr<Kernel> MakeFor(const KernelContext& context) {
  switch (context.definition.type) {
    case OpType::kReduceMin:
      return Make<T>(context, std::numeric_limits<T>::max(), [](T a, T b) { return b < a ? b : a; });
    case OpType::kReduceProd:
      return Make<T>(context, T{1}, Product<T>);
    default:
      return Make<T>(context, T{0}, [](T a, T b) { return WrappingSum(a, b); });
  }
}

// round(sum * scale + bias) + zero point, in float32 as TFLite's default kernel: its reference kernel answers
// with one value whatever the input is (2.1.4 and 2.3.0).
template <class T>
Expected<std::unique_ptr<Kernel>> PrepareRescaledSum(const KernelContext& context, QuantizationParams input,
                                                     QuantizationParams output) {
  const ReductionPlan plan = ReductionOf(context);
  const float scale = input.scale / output.scale;
  const float bias = static_cast<float>(-input.zero_point) * scale * static_cast<float>(plan.count);
  const auto finish = [=](int32_t sum) {
    constexpr float kLargest = 1 << 30;
    const int32_t value = RoundWithin(static_cast<float>(sum) * scale + bias, kLargest) + output.zero_point;
    return static_cast<T>(std::clamp(value, LimitsOf<T>().quant_min, LimitsOf<T>().quant_max));
  };
  return MakeKernel(
      context, "reference",
      [plan, finish](const KernelBuffers& io) {
        auto* const sums = reinterpret_cast<int32_t*>(io.scratch);
        std::fill_n(sums, plan.results, 0);
        if (FlatSize(plan.input) > 0) {
          reference::Reduce(plan.input, plan.steps, 0, io.input<T>(0), sums,
                            [](int32_t& sum, T value) { sum = WrappingSum(sum, value); });
        }
        std::transform(sums, sums + plan.results, io.output<T>(), finish);
      },
      static_cast<size_t>(plan.results) * sizeof(int32_t));
}

template <class T>
Expected<std::unique_ptr<Kernel>> PrepareQuantized(const KernelContext& context) {
  if (context.definition.type == OpType::kReduceProd) return UnsupportedTypes(context);
  if (context.definition.type != OpType::kSum) {
    QAT_RETURN_IF_ERROR(CheckOutputQuantization(context, LimitsOf<T>()));
    return MakeFor<T>(context);
  }
  QAT_ASSIGN_OR_RETURN(const auto input, PerTensorParams(*context.inputs[0], "input", LimitsOf<T>()));
  QAT_ASSIGN_OR_RETURN(const auto output, PerTensorParams(context.output, "output", LimitsOf<T>()));
  if (input == output) return MakeFor<T>(context);
  return PrepareRescaledSum<T>(context, input, output);
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const DType type = context.inputs[0]->type;
  if (context.output.type != type) return UnsupportedTypes(context);
  if (type == DType::kFloat32) return MakeFor<float>(context);
  if (type == DType::kInt32) return MakeFor<int32_t>(context);
  if (type == DType::kInt64) return MakeFor<int64_t>(context);
  if (type == DType::kUInt8) return PrepareQuantized<uint8_t>(context);
  if (type == DType::kInt8) return PrepareQuantized<int8_t>(context);
  if (type == DType::kInt16 && context.definition.type == OpType::kReduceMin)
    return PrepareQuantized<int16_t>(context);
  return UnsupportedTypes(context);
}

Expected<std::unique_ptr<Kernel>> PrepareLogical(const KernelContext& context) {
  if (context.inputs[0]->type != DType::kBool || context.output.type != DType::kBool)
    return UnsupportedTypes(context);
  if (context.definition.type == OpType::kReduceAny)
    return Make<uint8_t>(context, 0, [](uint8_t a, uint8_t b) { return static_cast<uint8_t>(a | (b != 0)); });
  return Make<uint8_t>(context, 1, [](uint8_t a, uint8_t b) { return static_cast<uint8_t>(a & (b != 0)); });
}

const OpKernels kUpTo3 = {Prepare, 3};
const OpKernels kLogical = {PrepareLogical, 1};

}  // namespace

// Version 3 brought int16, of which only reduce_min runs.
const OpKernels& SumKernels() { return kUpTo3; }
const OpKernels& ReduceMinKernels() { return kUpTo3; }
const OpKernels& ReduceProdKernels() { return kUpTo3; }
const OpKernels& ReduceAnyKernels() { return kLogical; }
const OpKernels& ReduceAllKernels() { return kLogical; }

}  // namespace qat
