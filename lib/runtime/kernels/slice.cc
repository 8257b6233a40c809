// Prepare of SLICE and STRIDED_SLICE.
#include "base/check.h"
#include "ops/slice_geometry.h"
#include "runtime/kernels/portable/strided_copy.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/strided_copy.h"

namespace qat {
namespace {

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const KernelTensor& input = *context.inputs[0];
  if (input.type != context.output.type || SizeOf(input.type) == 0) return UnsupportedTypes(context);
  QAT_RETURN_IF_ERROR(CheckMovedQuantization(input, context.output));
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
  for (size_t i = axes->size(); i-- > 0;) {
    const SliceAxis& axis = (*axes)[i];
    view.first += axis.begin * step;
    view.sizes[i] = axis.count;
    view.steps[i] = axis.stride * step;
    step *= input.shape[i];
  }
  const bool empty = FlatSize(context.output.shape) == 0;
  if (context.kernels == KernelSet::kFast && !empty) {
    return MakeKernel(context, "portable", [view = portable::Simplify(view)](const KernelBuffers& io) {
      portable::CopyView(view, io.inputs[0] + view.first, io.output_bytes);
    });
  }
  return MakeKernel(context, "reference", [view = std::move(view), empty](const KernelBuffers& io) {
    if (!empty) reference::CopyView(view, 0, io.inputs[0] + view.first, io.output_bytes);
  });
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
