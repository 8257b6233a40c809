// Prepare of SPACE_TO_DEPTH and DEPTH_TO_SPACE: the same values in another order.
#include "runtime/kernels/view.h"

namespace qat {
namespace {

// Steps of [N, H, W, C] with H, W or C taken apart by blocks.
Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const KernelTensor& input = *context.inputs[0];
  QAT_RETURN_IF_ERROR(CheckMoved(context, input));
  const int64_t block = context.As<BlockAttributes>().size;
  const std::vector<int64_t> step = StepsOf(input.shape, SizeOf(input.type));
  reference::StridedView view;
  view.element = static_cast<int64_t>(SizeOf(input.type));
  const Shape& out = context.output.shape;
  if (context.definition.type == OpType::kSpaceToDepth) {
    view.sizes = {out[0], out[1], out[2], block, block, input.shape[3]};
    view.steps = {step[0], step[1] * block, step[2] * block, step[1], step[2], step[3]};
  } else {
    const int64_t column = out[3] * view.element;
    view.sizes = {out[0], input.shape[1], block, input.shape[2], block, out[3]};
    view.steps = {step[0], step[1], column * block, step[2], column, step[3]};
  }
  return MakeViewKernel(context, std::move(view));
}

const OpKernels kUpTo2 = {Prepare, 2};

}  // namespace

const OpKernels& SpaceToDepthKernels() { return kUpTo2; }
const OpKernels& DepthToSpaceKernels() { return kUpTo2; }

}  // namespace qat
