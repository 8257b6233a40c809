// Prepare of SHAPE.
#include <algorithm>

#include "runtime/kernels/quantization.h"

namespace qat {
namespace {

template <class T>
std::unique_ptr<Kernel> Make(const KernelContext& context) {
  const Shape shape = context.inputs[0]->shape;
  return MakeKernel(context, "reference", [shape](const KernelBuffers& io) {
    std::copy(shape.begin(), shape.end(), io.output<T>());
  });
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  if (context.output.type == DType::kInt32) return Make<int32_t>(context);
  if (context.output.type == DType::kInt64) return Make<int64_t>(context);
  return UnsupportedTypes(context);
}

}  // namespace

const OpKernels& ShapeKernels() {
  static const OpKernels kKernels = {Prepare, 1};
  return kKernels;
}

}  // namespace qat
