// Prepare of UNPACK: each output takes its slice of every row; any element type.
#include <cstring>

#include "ops/shape_rules.h"
#include "runtime/kernels/quantization.h"

namespace qat {
namespace {

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const KernelTensor& input = *context.inputs[0];
  const auto& a = context.As<UnpackAttributes>();
  const auto axis = static_cast<int64_t>(*ResolveAxis(a.axis, input.shape.size()));
  for (const KernelTensor& output : context.outputs) {
    if (input.type != output.type || SizeOf(input.type) == 0) return UnsupportedTypes(context);
    QAT_RETURN_IF_ERROR(CheckMovedQuantization(input, output));
  }
  const int64_t rows = FlatSize(Shape(input.shape.begin(), input.shape.begin() + axis));
  const auto part = static_cast<size_t>(FlatSize(Shape(input.shape.begin() + axis + 1, input.shape.end()))) *
                    SizeOf(input.type);
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    const uint8_t* from = io.inputs[0];
    for (int64_t row = 0; row < rows; ++row) {
      for (uint8_t* output : io.outputs) {
        std::memcpy(output + static_cast<size_t>(row) * part, from, part);
        from += part;
      }
    }
  });
}

}  // namespace

// Later versions brought other types.
const OpKernels& UnpackKernels() {
  static const OpKernels kKernels = {Prepare, 4};
  return kKernels;
}

}  // namespace qat
