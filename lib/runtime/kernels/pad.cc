// Prepare of PAD and PADV2.
#include <algorithm>
#include <cstring>
#include <limits>

#include "runtime/kernels/indices.h"
#include "runtime/kernels/quantization.h"

namespace qat {
namespace {

// The input as rows of the last axis, and where each axis begins in the output, in elements.
struct PadPlan {
  Shape input;
  std::vector<int64_t> before;
  std::vector<int64_t> output_steps;
  int64_t output_size = 0;
};

PadPlan PlanOf(const KernelContext& context) {
  const std::vector<int64_t> paddings = IndicesOf(*context.inputs[1]);
  PadPlan plan{context.inputs[0]->shape, {}, {}, FlatSize(context.output.shape)};
  const size_t rank = plan.input.size();
  plan.output_steps.assign(rank, 1);
  for (size_t i = rank; i-- > 1;) plan.output_steps[i - 1] = plan.output_steps[i] * context.output.shape[i];
  for (size_t i = 0; i < rank; ++i) plan.before.push_back(paddings[2 * i]);
  // Last axes without padding are part of the one before them.
  for (size_t last = rank - 1; rank > 0 && last > 0; --last) {
    const int32_t size = plan.input.back();
    const bool fits = int64_t{plan.input[last - 1]} * size <= std::numeric_limits<int32_t>::max();
    if (paddings[2 * last] != 0 || paddings[2 * last + 1] != 0 || !fits) break;
    plan.input.pop_back();
    plan.before.pop_back();
    plan.output_steps.pop_back();
    plan.input.back() *= size;
    plan.before.back() *= size;
    plan.output_steps.back() = 1;
  }
  return plan;
}

template <class T>
const T* CopyInside(const PadPlan& plan, size_t axis, const T* input, T* output) {
  if (axis == plan.input.size()) {
    *output = *input;
    return input + 1;
  }
  output += plan.before[axis] * plan.output_steps[axis];
  if (axis + 1 == plan.input.size()) {
    std::copy_n(input, plan.input[axis], output);
    return input + plan.input[axis];
  }
  for (int32_t i = 0; i < plan.input[axis]; ++i)
    input = CopyInside(plan, axis + 1, input, output + i * plan.output_steps[axis]);
  return input;
}

// T stands for every type of its size.
template <class T>
std::unique_ptr<Kernel> Make(const KernelContext& context, int32_t fill) {
  return MakeKernel(context, "reference", [plan = PlanOf(context), fill](const KernelBuffers& io) {
    T value = static_cast<T>(fill);
    if (io.inputs.size() > 2) std::memcpy(&value, io.inputs[2], sizeof(value));
    std::fill_n(io.output<T>(), plan.output_size, value);
    if (FlatSize(plan.input) > 0) CopyInside(plan, 0, io.input<T>(0), io.output<T>());
  });
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const KernelTensor& input = *context.inputs[0];
  if (input.type != context.output.type) return UnsupportedTypes(context);
  QAT_RETURN_IF_ERROR(CheckMovedQuantization(input, context.output));
  if (const KernelTensor* value = context.input(2)) {
    if (value->type != input.type) return UnsupportedTypes(context);
    QAT_RETURN_IF_ERROR(CheckMovedQuantization(*value, context.output));
  }
  const bool quantized = !context.output.zero_point.empty() && SizeOf(input.type) == 1;  // int16's zero is 0
  const auto fill = static_cast<int32_t>(quantized ? context.output.zero_point[0] : 0);
  switch (SizeOf(input.type)) {
    case 1:
      return Make<uint8_t>(context, fill);
    case 2:
      return Make<uint16_t>(context, fill);
    case 4:
      return Make<uint32_t>(context, fill);
    case 8:
      return Make<uint64_t>(context, fill);
    default:
      return UnsupportedTypes(context);
  }
}

const OpKernels kKernels = {Prepare, 6};

}  // namespace

// Version 3 brought int16, 4 more axes.
const OpKernels& PadKernels() { return kKernels; }
const OpKernels& PadV2Kernels() { return kKernels; }

}  // namespace qat
