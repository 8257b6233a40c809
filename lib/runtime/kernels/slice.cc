// Prepare of SLICE and STRIDED_SLICE.
#include "base/check.h"
#include "ops/slice_geometry.h"
#include "runtime/kernels/view.h"

namespace qat {
namespace {

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const KernelTensor& input = *context.inputs[0];
  QAT_RETURN_IF_ERROR(CheckMoved(context, input));
  std::vector<Operand> operands;
  for (const KernelTensor* tensor : context.inputs)
    operands.push_back({tensor->shape, tensor->type, tensor->constant});
  // The shape rule has read the same.
  const auto axes = context.definition.type == OpType::kSlice
                        ? SliceGeometry(operands)
                        : StridedSliceGeometry(context.attributes, operands);
  QAT_CHECK(axes.ok());
  reference::StridedView view;
  view.element = static_cast<int64_t>(SizeOf(input.type));
  view.sizes.resize(axes->size());
  view.steps.resize(axes->size());
  int64_t step = view.element;
  size_t behind = input.shape.size();  // axes of the input not yet used
  for (size_t i = axes->size(); i-- > 0;) {
    const SliceAxis& axis = (*axes)[i];
    view.first += axis.begin * step;
    view.sizes[i] = axis.count;
    view.steps[i] = axis.stride * step;
    if (!axis.inserted) step *= input.shape[--behind];
  }
  return MakeViewKernel(context, std::move(view));
}

}  // namespace

// Later versions brought other types and more axes.
const OpKernels& SliceKernels() {
  static const OpKernels kKernels = {Prepare, 5};
  return kKernels;
}
const OpKernels& StridedSliceKernels() {
  static const OpKernels kKernels = {Prepare, 8};
  return kKernels;
}

}  // namespace qat
