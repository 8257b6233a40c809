// pair_kernel.h: the kernel of a function of two values, in plain loops over operands that broadcast.
#ifndef QAT_RUNTIME_KERNELS_PAIR_KERNEL_H_
#define QAT_RUNTIME_KERNELS_PAIR_KERNEL_H_

#include <memory>

#include "runtime/kernels/kernel.h"
#include "runtime/kernels/reference/broadcast.h"

namespace qat {

/// output = f(a, b) for each pair of values of type T of the first two inputs; `f` is copied. Requires shapes
/// that broadcast to the output's, which the shape rules have checked.
template <class T, class Out = T, class F>
std::unique_ptr<Kernel> MakePairKernel(const KernelContext& context, F f) {
  const auto loops =
      reference::MakeBroadcastLoops(context.inputs[0]->shape, context.inputs[1]->shape, context.output.shape);
  const auto eval = [=](const KernelBuffers& io) {
    reference::ForEachPair(loops, 0, io.input<T>(0), io.input<T>(1), io.output<Out>(), f);
  };
  return ElementByElement(context, MakeKernel(context, "reference", eval));
}

}  // namespace qat

#endif  // QAT_RUNTIME_KERNELS_PAIR_KERNEL_H_
