#include "quant/precision.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/check.h"
#include "base/strings.h"

namespace qat {
namespace {

struct Named {
  std::string_view name;
  Precisions precisions;
};

constexpr Precision kUInt8Activations = {DType::kUInt8, 8};
constexpr Precision kInt8Activations = {DType::kInt8, 8};
constexpr Precision kUInt8Filters = {.type = DType::kUInt8, .bits = 8, .narrow = true};

constexpr std::string_view kReal = "float32";
constexpr Named kIntegers[] = {
    {"uint8", {kUInt8Activations, kUInt8Filters}},
    {"int8", {kInt8Activations, kInt8FiltersPerAxis}},
    {"int8-per-tensor", {kInt8Activations, kInt8Filters}},
    {"int16x8", {kInt16Activations, kInt8FiltersPerAxis}},
    {"w4a8", {kInt8Activations, kInt4FiltersPerAxis}},
};

}  // namespace

Precision ActivationsOf(DType type) {
  if (type == DType::kInt16) return kInt16Activations;
  QAT_CHECK(type == DType::kUInt8 || type == DType::kInt8);
  return type == DType::kInt8 ? kInt8Activations : kUInt8Activations;
}

Precisions PrecisionsOf(Scheme scheme) {
  switch (scheme) {
    case Scheme::kUInt8:
      return {kUInt8Activations, kUInt8Filters};
    case Scheme::kInt8:
      return {kInt8Activations, kInt8FiltersPerAxis};
    case Scheme::kFloat32:
      break;
  }
  return {};
}

Precision WithBits(Precision filters, int32_t bits) {
  QAT_CHECK(filters.symmetric && (bits == 4 || bits == 8));
  filters.bits = bits;
  filters.type = bits == 4 ? DType::kInt4 : DType::kInt8;
  return filters;
}

QuantizedLimits LimitsOf(const Precision& precision) {
  QAT_CHECK(precision.type != DType::kFloat32 && precision.bits <= 16);
  const int32_t count = 1 << precision.bits;
  const int32_t lowest = precision.type == DType::kUInt8 ? 0 : -count / 2;
  return {lowest + (precision.narrow ? 1 : 0), lowest + count - 1};
}

Range RangeFor(const Precision& precision, Range measured) {
  const Range range = IncludingZero(measured);
  if (!precision.symmetric) return range;
  // A channel of zeros, whose answers are its bias.
  if (range.min == 0 && range.max == 0) return {-1, 1};
  // Under the floor of the scale the zero point would not be 0.
  const float least_end = static_cast<float>(LimitsOf(precision).quant_max) * kSmallestScale;
  const float end = std::max({-range.min, range.max, least_end});
  return {-end, end};
}

std::optional<Precisions> IntegersFromName(std::string_view name) {
  for (const Named& each : kIntegers) {
    if (each.name == name) return each.precisions;
  }
  return std::nullopt;
}

std::optional<Precisions> PrecisionsFromName(std::string_view name) {
  return name == kReal ? Precisions() : IntegersFromName(name);
}

bool HasName(const Precisions& precisions) {
  return precisions.is_real() ||
         std::any_of(std::begin(kIntegers), std::end(kIntegers),
                     [&](const Named& each) { return each.precisions == precisions; });
}

std::string_view NameOf(const Precisions& precisions) {
  if (precisions.is_real()) return kReal;
  const auto found = std::find_if(std::begin(kIntegers), std::end(kIntegers),
                                  [&](const Named& each) { return each.precisions == precisions; });
  QAT_CHECK(found != std::end(kIntegers));
  return found->name;
}

std::string IntegerNames() {
  std::string names;
  for (const Named& each : kIntegers) names += StrCat(names.empty() ? "" : ", ", each.name);
  return names;
}

DType SumTypeOf(const Precision& activations) {
  return activations.type == DType::kInt16 ? DType::kInt64 : DType::kInt32;
}

int64_t QuantizeWideBias(float bias, float scale) {
  constexpr double kLimit = int64_t{1} << 46;
  return static_cast<int64_t>(std::clamp(std::round(double{bias} / double{scale}), -kLimit, kLimit));
}

QuantizationParams FixedParamsOf(QuantizationParams uint8, DType type) {
  if (type == DType::kInt16) return {1.0f / 32768, 0};
  return {uint8.scale, uint8.zero_point - (type == DType::kInt8 ? 128 : 0)};
}

}  // namespace qat
