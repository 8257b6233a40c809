// Prepare of MEAN.
#include <algorithm>

#include "runtime/kernels/indices.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/mean.h"

namespace qat {
namespace {

struct MeanPlan {
  Shape input;
  std::vector<int64_t> steps;
  int64_t count = 1;  // values of one mean
  int64_t means = 1;
};

MeanPlan PlanOf(const KernelContext& context) {
  MeanPlan plan{context.inputs[0]->shape, {}, 1, FlatSize(context.output.shape)};
  std::vector<bool> reduced(plan.input.size());
  for (const int64_t axis : IndicesOf(*context.inputs[1])) reduced[*ResolveAxis(axis, reduced.size())] = true;
  plan.steps.assign(plan.input.size(), 0);
  int64_t step = 1;
  for (size_t i = plan.input.size(); i-- > 0;) {
    if (reduced[i]) {
      plan.count *= plan.input[i];
    } else {
      plan.steps[i] = step;
      step *= plan.input[i];
    }
  }
  return plan;
}

// Sums lie in the scratch memory.
template <class T, class Sum, class F>
std::unique_ptr<Kernel> Make(const KernelContext& context, const MeanPlan& plan, F finish) {
  return MakeKernel(
      context, "reference",
      [plan, finish](const KernelBuffers& io) {
        auto* const sums = reinterpret_cast<Sum*>(io.scratch);
        std::fill_n(sums, plan.means, Sum{0});
        if (FlatSize(plan.input) > 0) reference::AddToSums(plan.input, plan.steps, 0, io.input<T>(0), sums);
        std::transform(sums, sums + plan.means, io.output<T>(), finish);
      },
      static_cast<size_t>(plan.means) * sizeof(Sum));
}

template <class T>
Expected<std::unique_ptr<Kernel>> PrepareQuantized(const KernelContext& context, const MeanPlan& plan) {
  constexpr QuantizedLimits kLimits = LimitsOf<T>();
  QAT_ASSIGN_OR_RETURN(const QuantizationParams input, PerTensorParams(*context.inputs[0], "input", kLimits));
  QAT_ASSIGN_OR_RETURN(const QuantizationParams output, PerTensorParams(context.output, "output", kLimits));
  QAT_ASSIGN_OR_RETURN(FixedPointMultiplier multiplier,
                       CheckedMultiplier(static_cast<double>(input.scale) / static_cast<double>(output.scale),
                                         "input scale over output scale"));
  multiplier = reference::MeanMultiplier(multiplier, plan.count);
  const int64_t zeros = input.zero_point * plan.count;
  return Make<T, int64_t>(context, plan, [=](int64_t sum) {
    const int32_t mean = MultiplyByQuantizedMultiplier(static_cast<int32_t>(sum - zeros), multiplier);
    return static_cast<T>(
        std::clamp(WrappingAdd(mean, output.zero_point), kLimits.quant_min, kLimits.quant_max));
  });
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const DType type = context.inputs[0]->type;
  if (context.output.type != type) return UnsupportedTypes(context);
  const MeanPlan plan = PlanOf(context);
  if (type == DType::kUInt8) return PrepareQuantized<uint8_t>(context, plan);
  if (type == DType::kInt8) return PrepareQuantized<int8_t>(context, plan);
  if (type != DType::kFloat32) return UnsupportedTypes(context);
  const auto count = static_cast<float>(plan.count);
  return Make<float, float>(context, plan, [=](float sum) { return sum / count; });
}

}  // namespace

// Version 3 brought int16, which Prepare refuses.
const OpKernels& MeanKernels() {
  static const OpKernels kKernels = {Prepare, 3};
  return kKernels;
}

}  // namespace qat
