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

std::vector<int32_t> Int32Values(const GraphTensor& tensor) {
  QAT_CHECK(tensor.type == DType::kInt32 && tensor.is_constant() &&
            tensor.data.size() % sizeof(int32_t) == 0);
  std::vector<int32_t> values(tensor.data.size() / sizeof(int32_t));
  std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  return values;
}

void SetIntegers(GraphTensor& tensor, DType type, const std::vector<int32_t>& integers) {
  if (type == DType::kInt4) {
    std::vector<uint8_t> bytes((integers.size() + 1) / 2);
    for (size_t i = 0; i < integers.size(); ++i)
      bytes[i / 2] |= static_cast<uint8_t>((integers[i] & 0xf) << (i % 2 == 0 ? 0 : 4));
    return SetValues(tensor, type, bytes);
  }
  if (type == DType::kInt16)
    return SetValues(tensor, type, std::vector<int16_t>(integers.begin(), integers.end()));
  QAT_CHECK(SizeOf(type) == 1);
  SetValues(tensor, type, std::vector<uint8_t>(integers.begin(), integers.end()));  // int8 by its bits
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
