// constants.h: the values of constants in a graph.
#ifndef QAT_IR_CONSTANTS_H_
#define QAT_IR_CONSTANTS_H_

#include <cstring>
#include <vector>

#include "ir/graph.h"

namespace qat {

/// Requires  a constant of float32, which Verify has seen to.
std::vector<float> RealValues(const GraphTensor& tensor);

/// Requires  a constant of int32.
std::vector<int32_t> Int32Values(const GraphTensor& tensor);

/// Values and their element type; T may be that type's bits. Requires as many as the shape says.
template <class T>
void SetValues(GraphTensor& tensor, DType type, const std::vector<T>& values) {
  tensor.type = type;
  tensor.data.resize(values.size() * sizeof(T));
  std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
}

/// Integers of the type, in the bytes that it has: those of 4 bits two to a byte, the lower half first.
/// Requires  as many as the shape says, an integer type of at most 16 bits that holds them.
void SetIntegers(GraphTensor& tensor, DType type, const std::vector<int32_t>& integers);

/// Ranges of the slices along `axis`, each with 0.
std::vector<Range> SliceRanges(const std::vector<float>& values, const Shape& shape, size_t axis);

}  // namespace qat

#endif  // QAT_IR_CONSTANTS_H_
