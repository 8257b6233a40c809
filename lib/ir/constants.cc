#include "ir/constants.h"

#include <algorithm>

#include "base/check.h"
#include "base/slices.h"

namespace qat {

namespace {

template <class T>
std::vector<T> ValuesOf(const GraphTensor& tensor, DType type) {
  QAT_CHECK(tensor.type == type && tensor.is_constant() && tensor.data.size() % sizeof(T) == 0);
  std::vector<T> values(tensor.data.size() / sizeof(T));
  std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  return values;
}

}  // namespace

std::vector<float> RealValues(const GraphTensor& tensor) { return ValuesOf<float>(tensor, DType::kFloat32); }

std::vector<int32_t> Int32Values(const GraphTensor& tensor) {
  return ValuesOf<int32_t>(tensor, DType::kInt32);
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
