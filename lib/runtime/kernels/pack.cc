// Prepare of PACK: each input gives one slice of every row; any element type.
#include <cstring>

#include "ops/shape_rules.h"
#include "runtime/kernels/quantization.h"

namespace qat {
namespace {

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const Shape& shape = context.output.shape;
  const auto axis = static_cast<int64_t>(*ResolveAxis(context.As<PackAttributes>().axis, shape.size()));
  for (const KernelTensor* input : context.inputs) {
    if (input->type != context.output.type || SizeOf(input->type) == 0) return UnsupportedTypes(context);
    QAT_RETURN_IF_ERROR(CheckMovedQuantization(*input, context.output));
  }
  const int64_t rows = FlatSize(Shape(shape.begin(), shape.begin() + axis));
  const auto part = static_cast<size_t>(FlatSize(Shape(shape.begin() + axis + 1, shape.end()))) *
                    SizeOf(context.output.type);
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    uint8_t* output = io.output_bytes;
    for (int64_t row = 0; row < rows; ++row) {
      for (const uint8_t* input : io.inputs) {
        std::memcpy(output, input + static_cast<size_t>(row) * part, part);
        output += part;
      }
    }
  });
}

}  // namespace

// Later versions brought other types.
const OpKernels& PackKernels() {
  static const OpKernels kKernels = {Prepare, 5};
  return kKernels;
}

}  // namespace qat
