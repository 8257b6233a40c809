// integer_kernels.h: whether a network can be computed on 8-bit integers at all, asked before it is trained.
#ifndef QAT_OPS_INTEGER_KERNELS_H_
#define QAT_OPS_INTEGER_KERNELS_H_

#include <span>
#include <string_view>

#include "ops/op.h"
#include "quant/scheme.h"

namespace qat {

/// False where TFLite has no kernel of the operator for the integers of `scheme`; true for reals.
bool RunsUnder(OpType type, Scheme scheme);

struct PlacedOp {
  std::string_view name;  ///< of the layer or node
  OpType type;
};

/// Errors: kUnsupported, one sentence that lists every one of `ops` that does not run under `scheme`, and what to do instead.
Status ExpectIntegerKernels(std::span<const PlacedOp> ops, Scheme scheme);

}  // namespace qat

#endif  // QAT_OPS_INTEGER_KERNELS_H_
