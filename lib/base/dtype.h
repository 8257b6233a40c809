// dtype.h: element types of tensors, numbered as TFLite's TensorType so that no table translates them.
#ifndef QAT_BASE_DTYPE_H_
#define QAT_BASE_DTYPE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace qat {

enum class DType : int8_t {
  kFloat32 = 0,
  kFloat16 = 1,
  kInt32 = 2,
  kUInt8 = 3,
  kInt64 = 4,
  kString = 5,
  kBool = 6,
  kInt16 = 7,
  kInt8 = 9,
  kFloat64 = 10,
  kInt4 = 17,  ///< in a file only: two to a byte, the lower half first; readers make int8 of them
};

/// Bytes of one element; 0 for a type without a fixed size (string), of less than a byte, or outside the
/// enum.
size_t SizeOf(DType type);

/// Bits of one element where it lies packed; 0 where SizeOf knows no size.
size_t BitsOf(DType type);

/// "float32", "uint8", …; "unknown type" for a value outside the enum.
std::string_view NameOf(DType type);

/// The DType of a C++ element type.
template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::kFloat32;
};
template <>
struct DTypeOf<uint8_t> {
  static constexpr DType value = DType::kUInt8;
};
template <>
struct DTypeOf<int8_t> {
  static constexpr DType value = DType::kInt8;
};
template <>
struct DTypeOf<int16_t> {
  static constexpr DType value = DType::kInt16;
};
template <>
struct DTypeOf<int32_t> {
  static constexpr DType value = DType::kInt32;
};
template <>
struct DTypeOf<int64_t> {
  static constexpr DType value = DType::kInt64;
};

}  // namespace qat

#endif  // QAT_BASE_DTYPE_H_
