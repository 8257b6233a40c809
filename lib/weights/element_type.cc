#include "weights/element_type.h"

#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/half.h"

namespace qat {
namespace {

// The processors that this runs on are little endian, as the files are.
static_assert(std::endian::native == std::endian::little);

template <class T>
float Numeric(const uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return static_cast<float>(value);
}

uint16_t Bits16(const uint8_t* bytes) { return static_cast<uint16_t>(bytes[0] | bytes[1] << 8); }

float FromHalf(const uint8_t* bytes) { return HalfToFloat(Bits16(bytes)); }

// The upper half of a float32.
float FromBFloat16(const uint8_t* bytes) { return std::bit_cast<float>(uint32_t{Bits16(bytes)} << 16); }

// The upper half of a float16.
float FromFloat8E5M2(const uint8_t* bytes) { return HalfToFloat(static_cast<uint16_t>(bytes[0] << 8)); }

// Exponent bias 7, no infinities; all ones is NaN. Source: Micikevicius et al. 2022, FP8 formats for deep
// learning.
float FromFloat8E4M3(const uint8_t* bytes) {
  const uint32_t sign = uint32_t{bytes[0]} >> 7 << 31;
  const uint32_t exponent = bytes[0] >> 3 & 0xf, mantissa = bytes[0] & 7;
  if (exponent == 0xf && mantissa == 7) return std::bit_cast<float>(sign | 0x7fc00000);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 120) << 23 | mantissa << 20);
  const float magnitude = static_cast<float>(mantissa) * 0x1p-9f;
  return sign != 0 ? -magnitude : magnitude;
}

float FromBool(const uint8_t* bytes) { return bytes[0] != 0 ? 1.0f : 0.0f; }

constexpr ElementType kTypes[] = {
    {"float32", "F32", 4, Numeric<float>},
    {"float64", "F64", 8, Numeric<double>},
    {"float16", "F16", 2, FromHalf},
    {"bfloat16", "BF16", 2, FromBFloat16},
    {"float8_e5m2", "F8_E5M2", 1, FromFloat8E5M2},
    {"float8_e4m3fn", "F8_E4M3", 1, FromFloat8E4M3},
    {"int8", "I8", 1, Numeric<int8_t>},
    {"uint8", "U8", 1, Numeric<uint8_t>},
    {"int16", "I16", 2, Numeric<int16_t>},
    {"uint16", "U16", 2, Numeric<uint16_t>},
    {"int32", "I32", 4, Numeric<int32_t>},
    {"uint32", "U32", 4, Numeric<uint32_t>},
    {"int64", "I64", 8, Numeric<int64_t>},
    {"uint64", "U64", 8, Numeric<uint64_t>},
    {"bool", "BOOL", 1, FromBool},
    {"complex64", "C64", 8, nullptr},
};

template <class Is>
const ElementType* Find(const Is& is) {
  for (const ElementType& type : kTypes) {
    if (is(type)) return &type;
  }
  return nullptr;
}

}  // namespace

std::span<const ElementType> ElementTypes() { return kTypes; }

const ElementType* FindSafetensorsType(std::string_view name) {
  return Find([&](const ElementType& type) { return type.safetensors == name; });
}

const ElementType* FindElementType(std::string_view name) {
  return Find([&](const ElementType& type) { return type.name == name; });
}

const ElementType* ElementTypeOf(DType type) { return FindElementType(NameOf(type)); }

std::vector<float> ToFloats(const ElementType& type, std::span<const uint8_t> bytes) {
  QAT_CHECK(type.to_float != nullptr && bytes.size() % type.size == 0);
  std::vector<float> values(bytes.size() / type.size);
  for (size_t i = 0; i < values.size(); ++i) values[i] = type.to_float(bytes.data() + i * type.size);
  return values;
}

}  // namespace qat
