// Prepare of TRANSPOSE.
#include "runtime/kernels/indices.h"
#include "runtime/kernels/portable/strided_copy.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/strided_copy.h"

namespace qat {
namespace {

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const KernelTensor& input = *context.inputs[0];
  if (input.type != context.output.type || SizeOf(input.type) == 0) return UnsupportedTypes(context);
  QAT_RETURN_IF_ERROR(CheckMovedQuantization(input, context.output));
  const size_t rank = input.shape.size();
  std::vector<int64_t> input_steps(rank, static_cast<int64_t>(SizeOf(input.type)));
  for (size_t i = rank; i-- > 1;) input_steps[i - 1] = input_steps[i] * input.shape[i];
  reference::StridedView view;
  view.element = static_cast<int64_t>(SizeOf(input.type));
  view.sizes.assign(context.output.shape.begin(), context.output.shape.end());
  for (const int64_t axis : IndicesOf(*context.inputs[1]))
    view.steps.push_back(input_steps[*ResolveAxis(axis, rank)]);
  if (context.kernels == KernelSet::kFast && FlatSize(context.output.shape) > 0) {
    return MakeKernel(context, "portable", [view = portable::Simplify(view)](const KernelBuffers& io) {
      portable::CopyView(view, io.inputs[0], io.output_bytes);
    });
  }
  return MakeKernel(context, "reference", [view = std::move(view)](const KernelBuffers& io) {
    reference::CopyView(view, 0, io.inputs[0], io.output_bytes);
  });
}

}  // namespace

// Later versions brought other types and more axes.
const OpKernels& TransposeKernels() {
  static const OpKernels kKernels = {Prepare, 9};
  return kKernels;
}

}  // namespace qat
