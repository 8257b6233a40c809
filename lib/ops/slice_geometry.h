// slice_geometry.h: what part of its input a slice takes: one reading for shape rules and kernels.
#ifndef QAT_OPS_SLICE_GEOMETRY_H_
#define QAT_OPS_SLICE_GEOMETRY_H_

#include <cstdint>
#include <span>
#include <vector>

#include "ops/op.h"

namespace qat {

/// One axis of the input: the indices begin, begin + stride, …, `count` of them.
struct SliceAxis {
  int64_t begin = 0;
  int64_t stride = 1;
  int64_t count = 0;
  bool dropped = false;   ///< the output has no such axis; count is 1
  bool inserted = false;  ///< the input has no such axis; count is 1
};

/// The operands after the input are constants: begin and size. A size of -1 is the rest.
/// Errors: kInvalidArgument, kUnsupported.
Expected<std::vector<SliceAxis>> SliceGeometry(std::span<const Operand> inputs);

/// The same with begin, end and strides, as numpy reads them, and masks. Fewer entries than axes: the last
/// axes whole.
/// Requires  attributes are StridedSliceAttributes.
Expected<std::vector<SliceAxis>> StridedSliceGeometry(const OpAttributes& attributes,
                                                      std::span<const Operand> inputs);

}  // namespace qat

#endif  // QAT_OPS_SLICE_GEOMETRY_H_
