#include "runtime/kernels/view.h"

#include "runtime/kernels/portable/strided_copy.h"
#include "runtime/kernels/quantization.h"

namespace qat {

Status CheckMoved(const KernelContext& context, const KernelTensor& input) {
  if (input.type != context.output.type || SizeOf(input.type) == 0) return UnsupportedTypes(context);
  return CheckMovedQuantization(input, context.output);
}

std::vector<int64_t> StepsOf(const Shape& shape, size_t element) {
  std::vector<int64_t> steps(shape.size(), static_cast<int64_t>(element));
  for (size_t i = shape.size(); i-- > 1;) steps[i - 1] = steps[i] * shape[i];
  return steps;
}

std::unique_ptr<Kernel> MakeViewKernel(const KernelContext& context, reference::StridedView view,
                                       size_t position) {
  if (FlatSize(context.output.shape) == 0)
    return MakeKernel(context, "reference", [](const KernelBuffers&) {});
  if (context.kernels == KernelSet::kFast) {
    return MakeKernel(context, "portable",
                      [view = portable::Simplify(view), position](const KernelBuffers& io) {
                        portable::CopyView(view, io.inputs[position] + view.first, io.output_bytes);
                      });
  }
  return MakeKernel(context, "reference", [view = std::move(view), position](const KernelBuffers& io) {
    reference::CopyView(view, 0, io.inputs[position] + view.first, io.output_bytes);
  });
}

}  // namespace qat
