// Prepare of TRANSPOSE.
#include "runtime/kernels/indices.h"
#include "runtime/kernels/view.h"

namespace qat {
namespace {

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const KernelTensor& input = *context.inputs[0];
  QAT_RETURN_IF_ERROR(CheckMoved(context, input));
  const std::vector<int64_t> input_steps = StepsOf(input.shape, SizeOf(input.type));
  reference::StridedView view;
  view.element = static_cast<int64_t>(SizeOf(input.type));
  view.sizes.assign(context.output.shape.begin(), context.output.shape.end());
  for (const int64_t axis : IndicesOf(*context.inputs[1]))
    view.steps.push_back(input_steps[*ResolveAxis(axis, input.shape.size())]);
  return MakeViewKernel(context, std::move(view));
}

}  // namespace

// Later versions brought other types and more axes.
const OpKernels& TransposeKernels() {
  static const OpKernels kKernels = {Prepare, 9};
  return kKernels;
}

}  // namespace qat
