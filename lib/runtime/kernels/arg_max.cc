// Prepare of ARG_MAX and ARG_MIN.
#include <cstring>
#include <functional>

#include "runtime/kernels/quantization.h"
#include "runtime/kernels/reference/arg_max.h"

namespace qat {
namespace {

// The shape rule has checked that the axis is one constant within the input's rank.
int64_t AxisOf(const KernelTensor& axis, int64_t rank) {
  int64_t value = 0;
  if (axis.type == DType::kInt64) {
    std::memcpy(&value, axis.constant.data(), sizeof(value));
  } else {
    int32_t narrow = 0;
    std::memcpy(&narrow, axis.constant.data(), sizeof(narrow));
    value = narrow;
  }
  return value < 0 ? value + rank : value;
}

int64_t Product(std::span<const int32_t> sizes) {
  int64_t product = 1;
  for (int32_t size : sizes) product *= size;
  return product;
}

template <class T, class Index>
std::unique_ptr<Kernel> Make(const KernelContext& context) {
  const std::span<const int32_t> shape = context.inputs[0]->shape;
  const auto axis = static_cast<size_t>(AxisOf(*context.inputs[1], static_cast<int64_t>(shape.size())));
  const int64_t outer = Product(shape.first(axis));
  const int64_t inner = Product(shape.subspan(axis + 1));
  const int64_t axis_size = shape[axis];
  if (context.definition.type == OpType::kArgMin) {
    return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
      reference::ArgBest(outer, axis_size, inner, io.input<T>(0), io.output<Index>(), std::less<T>());
    });
  }
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    reference::ArgBest(outer, axis_size, inner, io.input<T>(0), io.output<Index>(), std::greater<T>());
  });
}

template <class Index>
Expected<std::unique_ptr<Kernel>> PrepareFor(const KernelContext& context) {
  switch (context.inputs[0]->type) {
    case DType::kFloat32:
      return Make<float, Index>(context);
    case DType::kUInt8:
      return Make<uint8_t, Index>(context);
    case DType::kInt8:
      return Make<int8_t, Index>(context);
    case DType::kInt32:
      return Make<int32_t, Index>(context);
    default:
      return UnsupportedTypes(context);
  }
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  const DType declared = context.As<ArgMaxAttributes>().output_type;
  if (declared != context.output.type) {
    return Corrupt(StrCat("output is ", NameOf(context.output.type), ", its options say ", NameOf(declared)));
  }
  if (context.output.type == DType::kInt32) return PrepareFor<int32_t>(context);
  if (context.output.type == DType::kInt64) return PrepareFor<int64_t>(context);
  return UnsupportedTypes(context);
}

}  // namespace

const OpKernels& ArgMaxKernels() {
  static const OpKernels kKernels = {Prepare, 3};
  return kKernels;
}
const OpKernels& ArgMinKernels() {
  static const OpKernels kKernels = {Prepare, 3};
  return kKernels;
}

}  // namespace qat
