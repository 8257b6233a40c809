// table.h: kernels that are one lookup per value.
#ifndef QAT_RUNTIME_KERNELS_TABLE_H_
#define QAT_RUNTIME_KERNELS_TABLE_H_

#include <algorithm>
#include <limits>
#include <memory>

#include "runtime/kernels/kernel.h"
#include "runtime/kernels/reference/lookup.h"

namespace qat {

/// output[i] = table[input[i]] for every byte of a one-input operator.
std::unique_ptr<Kernel> MakeTableKernel(const KernelContext& context,
                                        const reference::LookupTable<uint8_t>& table);

/// output[i] = LookUp(table, input[i]) of int16.
std::unique_ptr<Kernel> MakeTableKernel(const KernelContext& context, const reference::Int16Table& table);

/// output[i] = f(input[i]) of int16, f giving values of int16.
template <class F>
std::unique_ptr<Kernel> MakeInt16Kernel(const KernelContext& context, F f) {
  constexpr int64_t kRun = 1024, kWorkOfAValue = 8;  // values; multiply-accumulates (estimate)
  const int64_t count = FlatSize(context.output.shape);
  const auto run = [=](const KernelBuffers& io) {
    ForRuns(io.pool, count * kWorkOfAValue, count, kRun, [&](int64_t begin, int64_t end, int) {
      std::transform(io.input<int16_t>(0) + begin, io.input<int16_t>(0) + end, io.output<int16_t>() + begin,
                     f);
    });
  };
  return ElementByElement(context, MakeKernel(context, "reference", run));
}

/// output[i] = f(input[i]) clamped to T, of int32 values: by a table of bytes; int16 is computed as it comes.
template <class T, class F>
std::unique_ptr<Kernel> MakeFunctionKernel(const KernelContext& context, const F& f) {
  const auto clamped = [f](int32_t q) {
    return static_cast<T>(
        std::clamp<int32_t>(f(q), std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  };
  if constexpr (sizeof(T) == 1) {
    return MakeTableKernel(context, reference::MakeLookupTable<T, uint8_t>(clamped));
  } else {
    return MakeInt16Kernel(context, [clamped](int16_t q) { return clamped(q); });
  }
}

}  // namespace qat

#endif  // QAT_RUNTIME_KERNELS_TABLE_H_
