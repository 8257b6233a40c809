#include "base/dtype.h"

#include <iterator>

namespace qat {
namespace {

// By TFLite's numbers, which go on where the enum ends: a message names any type that a file may hold.
constexpr std::string_view kNames[] = {
    "float32",   "float16", "int32",    "uint8",      "int64",  "string",        "bool",       "int16",
    "complex64", "int8",    "float64",  "complex128", "uint64", "resource",      "variant",    "uint32",
    "uint16",    "int4",    "bfloat16", "int2",       "uint4",  "float8_e4m3fn", "float8_e5m2"};

}  // namespace

size_t SizeOf(DType type) {
  switch (type) {
    case DType::kFloat64:
    case DType::kInt64:
      return 8;
    case DType::kFloat32:
    case DType::kInt32:
      return 4;
    case DType::kFloat16:
    case DType::kInt16:
      return 2;
    case DType::kUInt8:
    case DType::kInt8:
    case DType::kBool:
      return 1;
    case DType::kString:
    case DType::kInt4:
      return 0;
  }
  return 0;
}

size_t BitsOf(DType type) { return type == DType::kInt4 ? 4 : 8 * SizeOf(type); }

std::string_view NameOf(DType type) {
  const auto number = static_cast<size_t>(type);  // of a negative one far outside
  return number < std::size(kNames) ? kNames[number] : "unknown type";
}

}  // namespace qat
