#include "data/array_values.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/strings.h"

namespace qat {
namespace {

Error NotFinite(double value, size_t index, const Shape& shape, const std::string& path) {
  const std::string text = std::isnan(value) ? "nan" : StrCat(value);
  const std::string way_out = std::isfinite(value)
                                  ? "expected at most 3.4e38, as float32 has: scale the values"
                                  : "expected finite numbers: leave such examples out, or fill the gaps in";
  return Corrupt(StrCat(path, ": the value at ", PlaceOf(index, shape), " is ", text, ", ", way_out));
}

template <class Stored>
Expected<Bytes> Converted(const NpyArray& array, const std::string& path) {
  const size_t count = array.values.size() / sizeof(Stored);
  Bytes bytes(count * sizeof(float));
  for (size_t i = 0; i < count; ++i) {
    Stored stored;
    std::memcpy(&stored, &array.values[i * sizeof(Stored)], sizeof(Stored));
    const auto value = static_cast<float>(stored);
    if (!std::isfinite(value)) return NotFinite(static_cast<double>(stored), i, array.shape, path);
    std::memcpy(&bytes[i * sizeof(float)], &value, sizeof(float));
  }
  return bytes;
}

// IEEE half precision.
float FromHalf(uint16_t half) {
  const int exponent = (half >> 10) & 0x1f;
  const float fraction = static_cast<float>(half & 0x3ff);
  float value = 0;
  if (exponent == 0) {
    value = std::ldexp(fraction, -24);
  } else if (exponent < 31) {
    value = std::ldexp(1024 + fraction, exponent - 25);
  } else {
    value = fraction == 0 ? HUGE_VALF : NAN;
  }
  return half & 0x8000 ? -value : value;
}

Expected<Bytes> ConvertedHalves(const NpyArray& array, const std::string& path) {
  NpyArray floats{DType::kFloat32, array.shape, Bytes(2 * array.values.size())};
  for (size_t i = 0; i < array.values.size() / sizeof(uint16_t); ++i) {
    uint16_t half;
    std::memcpy(&half, &array.values[i * sizeof(half)], sizeof(half));
    const float value = FromHalf(half);
    std::memcpy(&floats.values[i * sizeof(float)], &value, sizeof(float));
  }
  return FloatValues(std::move(floats), path);
}

// Looked through only.
Expected<Bytes> CheckedFloats(NpyArray array, const std::string& path) {
  for (size_t at = 0; at + sizeof(float) <= array.values.size(); at += sizeof(float)) {
    float value;
    std::memcpy(&value, &array.values[at], sizeof(float));
    if (!std::isfinite(value))
      return NotFinite(static_cast<double>(value), at / sizeof(float), array.shape, path);
  }
  return std::move(array.values);
}

}  // namespace

std::string PlaceOf(size_t index, const Shape& shape) {
  std::vector<std::string> places;
  for (auto size = shape.rbegin(); size != shape.rend(); ++size) {
    const auto along = static_cast<size_t>(std::max(*size, 1));
    places.push_back(StrCat(index % along));
    index /= along;
  }
  std::reverse(places.begin(), places.end());
  return StrCat("[", Join(places), "]");
}

Expected<Bytes> FloatValues(NpyArray array, const std::string& path) {
  switch (array.type) {
    case DType::kFloat32:
      return CheckedFloats(std::move(array), path);
    case DType::kFloat16:
      return ConvertedHalves(array, path);
    case DType::kFloat64:
      return Converted<double>(array, path);
    case DType::kInt8:
      return Converted<int8_t>(array, path);
    case DType::kInt16:
      return Converted<int16_t>(array, path);
    case DType::kInt32:
      return Converted<int32_t>(array, path);
    case DType::kInt64:
      return Converted<int64_t>(array, path);
    case DType::kUInt8:
    case DType::kBool:
      return Converted<uint8_t>(array, path);
    default:
      break;
  }
  return Corrupt(StrCat(path, ": elements are ", NameOf(array.type), ", expected numbers"));
}

}  // namespace qat
