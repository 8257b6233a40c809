// Prepare of SPLIT and SPLIT_V: every output takes its part of each row; any element type.
#include <cstring>

#include "ops/shape_rules.h"
#include "runtime/kernels/indices.h"
#include "runtime/kernels/quantization.h"

namespace qat {
namespace {

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const bool equal_parts = context.definition.type == OpType::kSplit;
  const KernelTensor& input = *context.inputs[static_cast<size_t>(context.definition.data_input)];
  const KernelTensor& axis_operand = *context.inputs[equal_parts ? 0 : 2];
  const size_t axis = *ResolveAxis(IndicesOf(axis_operand)[0], input.shape.size());
  const auto first_after = static_cast<int64_t>(axis);
  const int64_t rows = FlatSize(Shape(input.shape.begin(), input.shape.begin() + first_after));
  std::vector<size_t> parts;
  for (const KernelTensor& output : context.outputs) {
    if (input.type != output.type || SizeOf(input.type) == 0) return UnsupportedTypes(context);
    QAT_RETURN_IF_ERROR(CheckMovedQuantization(input, output));
    const Shape part(output.shape.begin() + first_after, output.shape.end());
    parts.push_back(static_cast<size_t>(FlatSize(part)) * SizeOf(output.type));
  }
  const auto data = static_cast<size_t>(context.definition.data_input);
  return MakeKernel(context, "reference", [=, parts = std::move(parts)](const KernelBuffers& io) {
    const uint8_t* from = io.inputs[data];
    for (int64_t row = 0; row < rows; ++row) {
      for (size_t i = 0; i < parts.size(); ++i) {
        std::memcpy(io.outputs[i] + static_cast<size_t>(row) * parts[i], from, parts[i]);
        from += parts[i];
      }
    }
  });
}

}  // namespace

// Later versions brought other types.
const OpKernels& SplitKernels() {
  static const OpKernels kKernels = {Prepare, 5};
  return kKernels;
}
const OpKernels& SplitVKernels() {
  static const OpKernels kKernels = {Prepare, 2};
  return kKernels;
}

}  // namespace qat
