#include "base/shape.h"

#include <limits>

namespace qat {

int64_t FlatSize(const Shape& shape) {
  int64_t size = 1;
  bool overflow = false;
  for (int32_t extent : shape) {
    if (extent == 0) return 0;
    overflow = __builtin_mul_overflow(size, int64_t{extent}, &size) || overflow;
  }
  return overflow ? std::numeric_limits<int64_t>::max() : size;
}

int64_t CheckedFlatSize(const Shape& shape) {
  int32_t size = 1;
  for (int32_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(size, extent, &size)) return -1;
  }
  return size;
}

std::string ToString(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

}  // namespace qat
