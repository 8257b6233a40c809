// Prepare of ONE_HOT.
#include <cstring>

#include "ops/shape_rules.h"
#include "runtime/kernels/quantization.h"
#include "runtime/kernels/view.h"

namespace qat {
namespace {

// Output [outer, depth, inner]; an index outside of depth sets nothing.
template <class Index>
std::unique_ptr<Kernel> Make(const KernelContext& context) {
  const Shape& shape = context.output.shape;
  const auto axis = static_cast<int64_t>(*ResolveAxis(context.As<OneHotAttributes>().axis, shape.size()));
  const int64_t outer = FlatSize(Shape(shape.begin(), shape.begin() + axis));
  const int64_t inner = FlatSize(Shape(shape.begin() + axis + 1, shape.end()));
  const int64_t depth = shape[static_cast<size_t>(axis)];
  const size_t element = SizeOf(context.output.type);
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    uint8_t* to = io.output_bytes;
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t d = 0; d < depth; ++d) {
        for (int64_t i = 0; i < inner; ++i, to += element)
          std::memcpy(to, io.inputs[io.input<Index>(0)[o * inner + i] == d ? 2 : 3], element);
      }
    }
  });
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  for (const size_t value : {2, 3}) QAT_RETURN_IF_ERROR(CheckMoved(context, *context.inputs[value]));
  if (context.inputs[0]->type == DType::kInt32) return Make<int32_t>(context);
  if (context.inputs[0]->type == DType::kInt64) return Make<int64_t>(context);
  return UnsupportedTypes(context);
}

}  // namespace

const OpKernels& OneHotKernels() {
  static const OpKernels kKernels = {Prepare, 1};
  return kKernels;
}

}  // namespace qat
