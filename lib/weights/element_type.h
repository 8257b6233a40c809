// element_type.h: element types of weights files, more than tensors of ours have, and their values as
// float32.
#ifndef QAT_WEIGHTS_ELEMENT_TYPE_H_
#define QAT_WEIGHTS_ELEMENT_TYPE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/dtype.h"

namespace qat {

struct ElementType {
  std::string_view name;         ///< NumPy's: "float32", "bfloat16"
  std::string_view safetensors;  ///< "F32", "BF16"
  size_t size = 0;               ///< bytes
  /// One element, little endian, to the nearest float32; null: cannot be weights (complex numbers).
  float (*to_float)(const uint8_t* bytes) = nullptr;
};

/// All that are known.
std::span<const ElementType> ElementTypes();

/// Null where there is none.
const ElementType* FindSafetensorsType(std::string_view name);
const ElementType* FindElementType(std::string_view name);
/// Null for strings.
const ElementType* ElementTypeOf(DType type);

/// Requires  a type with to_float, and whole elements.
std::vector<float> ToFloats(const ElementType& type, std::span<const uint8_t> bytes);

}  // namespace qat

#endif  // QAT_WEIGHTS_ELEMENT_TYPE_H_
