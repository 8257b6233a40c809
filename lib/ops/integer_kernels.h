// integer_kernels.h: whether a network can be computed on integers at all, asked before it is trained or
// converted.
#ifndef QAT_OPS_INTEGER_KERNELS_H_
#define QAT_OPS_INTEGER_KERNELS_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "ops/op.h"
#include "quant/precision.h"
#include "quant/scheme.h"

namespace qat {

/// False where TFLite has no kernel of the operator for the integers of `scheme`; true for reals.
bool RunsUnder(OpType type, Scheme scheme);
/// The same for activations of uint8, int8 or int16; true for other types.
bool RunsOn(OpType type, DType activations);

/// The version of an operator that has a kernel for some type, and the first release with it. 0: none has.
struct TypedVersion {
  int32_t version = 0;
  std::string_view release = "";
};

/// Real values held as int16 with the zero point 0.
TypedVersion Int16VersionOf(OpType type);
/// A filter of 4 bits beside activations of int8.
TypedVersion Int4VersionOf(OpType type);
/// The same beside real numbers, which are quantized while it runs.
TypedVersion Int4HybridVersionOf(OpType type);

/// Whether TFLite computes the operator with a filter of 4 bits.
bool TakesFourBits(OpType type);
/// What the filter of such an operator is quantized to: as asked, but 8 bits where TFLite takes no 4.
Precision FilterPrecision(OpType type, const Precisions& precisions);

/// Why the operator's kernels for uint8 and int8 answer differently on bytes that are 128 apart; empty: they
/// do not, or it is a matter of attributes (average pools). Not asked of operators that run on one of the
/// two.
std::string_view TwinObstacle(OpType type);

struct PlacedOp {
  std::string_view name;  ///< of the layer or node
  OpType type;
};

/// Errors: kUnsupported, one sentence that lists every one of `ops` that does not run on `activations`, and
/// what to do instead.
Status ExpectIntegerKernels(std::span<const PlacedOp> ops, DType activations);
Status ExpectIntegerKernels(std::span<const PlacedOp> ops, Scheme scheme);

}  // namespace qat

#endif  // QAT_OPS_INTEGER_KERNELS_H_
