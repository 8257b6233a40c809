#include "ir/constants.h"

#include <algorithm>

#include "base/check.h"
#include "base/slices.h"

namespace qat {

std::vector<float> RealValues(const GraphTensor& tensor) {
  QAT_CHECK(tensor.type == DType::kFloat32 && tensor.is_constant() &&
            tensor.data.size() % sizeof(float) == 0);
  std::vector<float> values(tensor.data.size() / sizeof(float));
  std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  return values;
}

std::vector<Range> SliceRanges(const std::vector<float>& values, const Shape& shape, size_t axis) {
  const size_t inner = InnerSize(shape, axis);
  std::vector<Range> ranges(static_cast<size_t>(shape[axis]));
  for (size_t i = 0; i < values.size(); ++i) {
    Range& range = ranges[i / inner % ranges.size()];
    range = {std::min(range.min, values[i]), std::max(range.max, values[i])};
  }
  return ranges;
}

}  // namespace qat
