// Prepare of REVERSE_V2: the axes that are listed are walked over from their end.
#include "ops/shape_rules.h"
#include "runtime/kernels/indices.h"
#include "runtime/kernels/view.h"

namespace qat {
namespace {

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const KernelTensor& input = *context.inputs[0];
  QAT_RETURN_IF_ERROR(CheckMoved(context, input));
  std::vector<bool> backwards(input.shape.size());
  for (const int64_t axis : IndicesOf(*context.inputs[1]))
    backwards[*ResolveAxis(axis, backwards.size())] = true;
  reference::StridedView view;
  view.element = static_cast<int64_t>(SizeOf(input.type));
  view.sizes.assign(input.shape.begin(), input.shape.end());
  view.steps = StepsOf(input.shape, SizeOf(input.type));
  for (size_t i = 0; i < backwards.size(); ++i) {
    if (!backwards[i]) continue;
    view.first += (view.sizes[i] - 1) * view.steps[i];
    view.steps[i] = -view.steps[i];
  }
  return MakeViewKernel(context, std::move(view));
}

}  // namespace

const OpKernels& ReverseV2Kernels() {
  static const OpKernels kKernels = {Prepare, 3};
  return kKernels;
}

}  // namespace qat
