// Prepare of SHAPE and RANK.
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

Expected<std::unique_ptr<Kernel>> PrepareRank(const KernelContext& context) {
  if (context.output.type != DType::kInt32) return UnsupportedTypes(context);
  const auto rank = static_cast<int32_t>(context.inputs[0]->shape.size());
  return MakeKernel(context, "reference", [rank](const KernelBuffers& io) { *io.output<int32_t>() = rank; });
}

}  // namespace

const OpKernels& RankKernels() {
  static const OpKernels kKernels = {PrepareRank, 1};
  return kKernels;
}
const OpKernels& ShapeKernels() {
  static const OpKernels kKernels = {Prepare, 1};
  return kKernels;
}

}  // namespace qat
