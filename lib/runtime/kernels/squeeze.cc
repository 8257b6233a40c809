// Prepare of SQUEEZE and EXPAND_DIMS: the bytes stay, the shape changes; any element type.
#include <cstring>

#include "runtime/kernels/quantization.h"

namespace qat {
namespace {

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  if (context.inputs[0]->type != context.output.type) return UnsupportedTypes(context);
  QAT_RETURN_IF_ERROR(CheckMovedQuantization(*context.inputs[0], context.output));
  const size_t size = static_cast<size_t>(FlatSize(context.output.shape)) * SizeOf(context.output.type);
  auto kernel = MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    if (io.output_bytes != io.inputs[0]) std::memcpy(io.output_bytes, io.inputs[0], size);
  });
  kernel->AllowInPlace(0);
  return kernel;
}

}  // namespace

const OpKernels& SqueezeKernels() {
  static const OpKernels kKernels = {Prepare, 2};
  return kKernels;
}
const OpKernels& ExpandDimsKernels() {
  static const OpKernels kKernels = {Prepare, 1};
  return kKernels;
}

}  // namespace qat
