// shape.h: sizes of a tensor, outermost first; images are [N, H, W, C], convolution filters [O, H, W, I].
#ifndef QAT_BASE_SHAPE_H_
#define QAT_BASE_SHAPE_H_

#include <cstdint>
#include <string>
#include <vector>

namespace qat {

/// An empty shape is a scalar. Sizes are >= 0; -1 stands for "any" only where a header says so.
using Shape = std::vector<int32_t>;

/// Number of elements: the product of all sizes, 1 for a scalar. Requires sizes >= 0.
/// Saturates at 2^63 - 1, so that the sizes of a damaged file compare as too large instead of wrapping.
int64_t FlatSize(const Shape& shape);

/// The same for shapes read from files: -1 where a size is negative or the product does not fit into an
/// int32.
int64_t CheckedFlatSize(const Shape& shape);

/// "[1, 28, 28, 1]".
std::string ToString(const Shape& shape);

}  // namespace qat

#endif  // QAT_BASE_SHAPE_H_
