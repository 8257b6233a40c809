#include "import/constants.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/slices.h"
#include "base/strings.h"

namespace qat {
namespace {

// IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits.
float FromHalf(uint16_t half) {
  const int exponent = half >> 10 & 31;
  const int fraction = half & 1023;
  const float sign = (half & 0x8000) != 0 ? -1.0f : 1.0f;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  if (exponent == 31) return fraction == 0 ? sign * std::numeric_limits<float>::infinity() : std::nanf("");
  return sign * std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
}

template <class T>
int64_t IntegerAt(std::span<const uint8_t> data, size_t i) {
  T value;
  std::memcpy(&value, data.data() + i * sizeof(T), sizeof(T));
  return static_cast<int64_t>(value);
}

int64_t IntegerAt(const ModelTensor& tensor, size_t i) {
  switch (tensor.type) {
    case DType::kInt8:
      return IntegerAt<int8_t>(tensor.constant, i);
    case DType::kUInt8:
      return IntegerAt<uint8_t>(tensor.constant, i);
    case DType::kInt16:
      return IntegerAt<int16_t>(tensor.constant, i);
    case DType::kInt32:
      return IntegerAt<int32_t>(tensor.constant, i);
    case DType::kInt64:
      return IntegerAt<int64_t>(tensor.constant, i);
    default:
      return 0;
  }
}

bool IsInteger(DType type) {
  return type == DType::kInt8 || type == DType::kUInt8 || type == DType::kInt16 || type == DType::kInt32 ||
         type == DType::kInt64;
}

std::vector<float> Floats(const ModelTensor& tensor, size_t count) {
  std::vector<float> values(count);
  if (tensor.type == DType::kFloat32) {
    if (count > 0) std::memcpy(values.data(), tensor.constant.data(), count * sizeof(float));
    return values;
  }
  for (size_t i = 0; i < count; ++i) {
    uint16_t half;
    std::memcpy(&half, tensor.constant.data() + i * sizeof(half), sizeof(half));
    values[i] = FromHalf(half);
  }
  return values;
}

}  // namespace

bool IsReal(const ModelTensor& tensor) {
  if (tensor.type == DType::kFloat32 || tensor.type == DType::kFloat16) return true;
  return IsInteger(tensor.type) && !tensor.scale.empty();
}

Expected<std::vector<float>> RealValues(const ModelTensor& tensor) {
  const auto count = static_cast<size_t>(FlatSize(tensor.shape));
  if (!IsInteger(tensor.type)) return Floats(tensor, count);
  const size_t scales = tensor.scale.size();
  const auto axis = static_cast<size_t>(tensor.quantized_dimension);
  if (scales == 0 || tensor.zero_point.size() != scales ||
      (scales > 1 && (axis >= tensor.shape.size() || static_cast<size_t>(tensor.shape[axis]) != scales))) {
    return Corrupt(StrCat("'", tensor.name, "' has ", scales, " scales for ", ToString(tensor.shape)));
  }
  const size_t inner = scales == 1 ? 1 : InnerSize(tensor.shape, axis);
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t slice = scales == 1 ? 0 : i / inner % scales;
    const auto steps = static_cast<double>(IntegerAt(tensor, i) - tensor.zero_point[slice]);
    values[i] = static_cast<float>(double{tensor.scale[slice]} * steps);
  }
  return values;
}

Expected<std::vector<float>> RealBias(const ModelTensor& bias, float input_scale,
                                      std::span<const float> filter_scale) {
  const auto count = static_cast<size_t>(FlatSize(bias.shape));
  if (filter_scale.size() != 1 && filter_scale.size() != count) {
    return Corrupt(
        StrCat("bias '", bias.name, "' has ", count, " values, its filter ", filter_scale.size(), " scales"));
  }
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) {
    const double step = double{input_scale} * double{filter_scale[filter_scale.size() == 1 ? 0 : i]};
    values[i] = static_cast<float>(step * static_cast<double>(IntegerAt(bias, i)));
  }
  return values;
}

Range RangeOf(const ModelTensor& tensor) {
  QuantizedLimits limits = {-128, 127};
  if (tensor.type == DType::kUInt8) limits = {0, 255};
  if (tensor.type == DType::kInt16) limits = {-32768, 32767};
  const QuantizationParams params = {tensor.scale[0], static_cast<int32_t>(tensor.zero_point[0])};
  return IncludingZero(RepresentableRange(params, limits));
}

}  // namespace qat
