// Prepare of CUMSUM.
#include <type_traits>

#include "ops/shape_rules.h"
#include "runtime/kernels/indices.h"
#include "runtime/kernels/quantization.h"

namespace qat {
namespace {

// Integers wrap.
template <class T>
T Sum(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using Unsigned = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<Unsigned>(a) + static_cast<Unsigned>(b));
  } else {
    return a + b;
  }
}

template <class T>
std::unique_ptr<Kernel> Make(const KernelContext& context) {
  const Shape& shape = context.output.shape;
  const auto axis = static_cast<int64_t>(*ResolveAxis(IndicesOf(*context.inputs[1])[0], shape.size()));
  const int64_t outer = FlatSize(Shape(shape.begin(), shape.begin() + axis));
  const int64_t inner = FlatSize(Shape(shape.begin() + axis + 1, shape.end()));
  const int64_t size = shape[static_cast<size_t>(axis)];
  const CumsumAttributes a = context.As<CumsumAttributes>();
  return MakeKernel(context, "reference", [=](const KernelBuffers& io) {
    for (int64_t line = 0; line < outer * inner; ++line) {
      const int64_t first = line / inner * size * inner + line % inner;
      T sum{};
      for (int64_t i = 0; i < size; ++i) {
        const int64_t at = first + (a.reverse ? size - 1 - i : i) * inner;
        const T before = sum;
        sum = Sum(sum, io.input<T>(0)[at]);
        io.output<T>()[at] = a.exclusive ? before : sum;
      }
    }
  });
}

Expected<std::unique_ptr<Kernel>> Prepare(const KernelContext& context) {
  if (context.inputs[0]->type != context.output.type) return UnsupportedTypes(context);
  if (context.output.type == DType::kFloat32) return Make<float>(context);
  if (context.output.type == DType::kInt32) return Make<int32_t>(context);
  if (context.output.type == DType::kInt64) return Make<int64_t>(context);
  return UnsupportedTypes(context);
}

}  // namespace

const OpKernels& CumsumKernels() {
  static const OpKernels kKernels = {Prepare, 1};
  return kKernels;
}

}  // namespace qat
