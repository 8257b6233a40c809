// Prepare of TILE and BROADCAST_TO: axes that are repeated are walked over with steps of 0.
#include "runtime/kernels/indices.h"
#include "runtime/kernels/view.h"

namespace qat {
namespace {

Expected<std::unique_ptr<Kernel>> PrepareTile(const KernelContext& context) {
  const KernelTensor& input = *context.inputs[0];
  QAT_RETURN_IF_ERROR(CheckMoved(context, input));
  const std::vector<int64_t> steps = StepsOf(input.shape, SizeOf(input.type));
  const std::vector<int64_t> multiples = IndicesOf(*context.inputs[1]);
  reference::StridedView view;
  view.element = static_cast<int64_t>(SizeOf(input.type));
  for (size_t i = 0; i < steps.size(); ++i) {
    view.sizes.insert(view.sizes.end(), {multiples[i], input.shape[i]});
    view.steps.insert(view.steps.end(), {0, steps[i]});
  }
  return MakeViewKernel(context, std::move(view));
}

Expected<std::unique_ptr<Kernel>> PrepareBroadcastTo(const KernelContext& context) {
  const KernelTensor& input = *context.inputs[0];
  QAT_RETURN_IF_ERROR(CheckMoved(context, input));
  const std::vector<int64_t> steps = StepsOf(input.shape, SizeOf(input.type));
  const Shape& output = context.output.shape;
  const size_t missing = output.size() - input.shape.size();
  reference::StridedView view;
  view.element = static_cast<int64_t>(SizeOf(input.type));
  for (size_t i = 0; i < output.size(); ++i) {
    const bool repeated = i < missing || input.shape[i - missing] == 1;
    view.sizes.push_back(output[i]);
    view.steps.push_back(repeated ? 0 : steps[i - missing]);
  }
  return MakeViewKernel(context, std::move(view));
}

}  // namespace

const OpKernels& TileKernels() {
  static const OpKernels kKernels = {PrepareTile, 3};
  return kKernels;
}
const OpKernels& BroadcastToKernels() {
  static const OpKernels kKernels = {PrepareBroadcastTo, 3};
  return kKernels;
}

}  // namespace qat
