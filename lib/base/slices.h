// slices.h: where the slices of a row-major tensor along one axis lie.
#ifndef QAT_BASE_SLICES_H_
#define QAT_BASE_SLICES_H_

#include <cstddef>

#include "base/shape.h"

namespace qat {

/// Values of one slice along `axis` that lie together: the sizes behind the axis, multiplied. Value i belongs
/// to slice i / InnerSize % shape[axis].
inline size_t InnerSize(const Shape& shape, size_t axis) {
  size_t inner = 1;
  for (size_t i = axis + 1; i < shape.size(); ++i) inner *= static_cast<size_t>(shape[i]);
  return inner;
}

}  // namespace qat

#endif  // QAT_BASE_SLICES_H_
