// Prepare of FILL, ZEROS_LIKE and RANGE.
#include <cstring>
#include <type_traits>

#include "runtime/kernels/quantization.h"
#include "runtime/kernels/view.h"

namespace qat {
namespace {

Expected<std::unique_ptr<Kernel>> PrepareFill(const KernelContext& context) {
  QAT_RETURN_IF_ERROR(CheckMoved(context, *context.inputs[1]));
  reference::StridedView view;
  view.element = static_cast<int64_t>(SizeOf(context.output.type));
  view.sizes.assign(context.output.shape.begin(), context.output.shape.end());
  view.steps.assign(view.sizes.size(), 0);
  return MakeViewKernel(context, std::move(view), 1);
}

Expected<std::unique_ptr<Kernel>> PrepareZerosLike(const KernelContext& context) {
  const DType type = context.output.type;
  if (context.inputs[0]->type != type || SizeOf(type) == 0 || !context.output.scale.empty())
    return UnsupportedTypes(context);
  const size_t size = static_cast<size_t>(FlatSize(context.output.shape)) * SizeOf(type);
  return MakeKernel(context, "reference",
                    [size](const KernelBuffers& io) { std::memset(io.output_bytes, 0, size); });
}

// start + i * delta; of floats the sum grows step by step, as TFLite's does.
template <class T>
std::unique_ptr<Kernel> MakeRange(const KernelContext& context) {
  const int64_t count = FlatSize(context.output.shape);
  return MakeKernel(context, "reference", [count](const KernelBuffers& io) {
    const T start = *io.input<T>(0), delta = *io.input<T>(2);
    [[maybe_unused]] T sum = start;
    for (int64_t i = 0; i < count; ++i) {
      if constexpr (std::is_integral_v<T>) {
        io.output<T>()[i] = static_cast<T>(static_cast<uint64_t>(start) +
                                           static_cast<uint64_t>(i) * static_cast<uint64_t>(delta));
      } else {
        io.output<T>()[i] = sum;
        sum += delta;
      }
    }
  });
}

Expected<std::unique_ptr<Kernel>> PrepareRange(const KernelContext& context) {
  for (const KernelTensor* input : context.inputs)
    if (input->type != context.output.type) return UnsupportedTypes(context);
  if (context.output.type == DType::kFloat32) return MakeRange<float>(context);
  if (context.output.type == DType::kInt32) return MakeRange<int32_t>(context);
  if (context.output.type == DType::kInt64) return MakeRange<int64_t>(context);
  return UnsupportedTypes(context);
}

}  // namespace

const OpKernels& FillKernels() {
  static const OpKernels kKernels = {PrepareFill, 4};
  return kKernels;
}
const OpKernels& ZerosLikeKernels() {
  static const OpKernels kKernels = {PrepareZerosLike, 2};
  return kKernels;
}
const OpKernels& RangeKernels() {
  static const OpKernels kKernels = {PrepareRange, 2};
  return kKernels;
}

}  // namespace qat
