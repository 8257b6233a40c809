// table.h: kernels that are one lookup per byte.
#ifndef QAT_RUNTIME_KERNELS_TABLE_H_
#define QAT_RUNTIME_KERNELS_TABLE_H_

#include <memory>

#include "runtime/kernels/kernel.h"
#include "runtime/kernels/reference/lookup.h"

namespace qat {

/// output[i] = table[input[i]] for every byte of a one-input operator.
std::unique_ptr<Kernel> MakeTableKernel(const KernelContext& context,
                                        const reference::LookupTable<uint8_t>& table);

}  // namespace qat

#endif  // QAT_RUNTIME_KERNELS_TABLE_H_
