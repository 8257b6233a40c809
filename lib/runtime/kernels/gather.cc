// Prepare of GATHER: slices are copied as bytes. Indices must be known: an index that is computed could lie outside.
#include <cstring>

#include "base/strings.h"
#include "ops/shape_rules.h"
#include "runtime/kernels/quantization.h"

namespace qat {
namespace {

// Where the slices begin, in slices.
Expected<std::vector<size_t>> SlicesOf(const KernelTensor& indices, int64_t size) {
  QAT_ASSIGN_OR_RETURN(const std::vector<int64_t> values,
                       ConstantIndices({indices.shape, indices.type, indices.constant}, "indices"));
  std::vector<size_t> slices;
  for (const int64_t index : values) {
    if (index < 0 || index >= size) return Corrupt(StrCat("index ", index, " of an axis of ", size));
    slices.push_back(static_cast<size_t>(index));
  }
  return slices;
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const KernelTensor& input = *context.inputs[0];
  if (input.type != context.output.type || SizeOf(input.type) == 0) return UnsupportedTypes(context);
  QAT_RETURN_IF_ERROR(CheckMovedQuantization(input, context.output));
  const Shape& shape = input.shape;
  const size_t axis = *ResolveAxis(context.As<GatherAttributes>().axis, shape.size());
  QAT_ASSIGN_OR_RETURN(std::vector<size_t> slices, SlicesOf(*context.inputs[1], shape[axis]));
  const auto at = shape.begin() + static_cast<int64_t>(axis);
  const int64_t rows = FlatSize(Shape(shape.begin(), at));
  const size_t slice_size = static_cast<size_t>(FlatSize(Shape(at + 1, shape.end()))) * SizeOf(input.type);
  const size_t row_size = slice_size * static_cast<size_t>(shape[axis]);
  return MakeKernel(context, "reference", [=, slices = std::move(slices)](const KernelBuffers& io) {
    uint8_t* output = io.output_bytes;
    for (int64_t row = 0; row < rows; ++row) {
      const uint8_t* const from = io.inputs[0] + static_cast<size_t>(row) * row_size;
      for (const size_t slice : slices) {
        std::memcpy(output, from + slice * slice_size, slice_size);
        output += slice_size;
      }
    }
  });
}

}  // namespace

// Later versions brought other types, and batch dimensions, which the reader refuses.
const OpKernels& GatherKernels() {
  static const OpKernels kKernels = {Prepare, 7};
  return kKernels;
}

}  // namespace qat
