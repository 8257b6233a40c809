// indices.h: constant index operands that a shape rule has accepted.
#ifndef QAT_RUNTIME_KERNELS_INDICES_H_
#define QAT_RUNTIME_KERNELS_INDICES_H_

#include <vector>

#include "base/check.h"
#include "ops/shape_rules.h"
#include "runtime/kernels/kernel.h"

namespace qat {

/// Requires that OpDefinition::infer_shape has read the same tensor.
inline std::vector<int64_t> IndicesOf(const KernelTensor& tensor) {
  auto values = ConstantIndices({tensor.shape, tensor.type, tensor.constant}, "operand");
  QAT_CHECK(values.ok());
  return *std::move(values);
}

}  // namespace qat

#endif  // QAT_RUNTIME_KERNELS_INDICES_H_
