#include "quant/scheme.h"

#include "base/check.h"
#include "quant/precision.h"

namespace qat {

std::string_view NameOf(Scheme scheme) {
  constexpr std::string_view kNames[] = {"float32", "uint8", "int8"};
  return kNames[static_cast<size_t>(scheme)];
}

std::optional<Scheme> SchemeFromName(std::string_view name) {
  for (const Scheme scheme : {Scheme::kFloat32, Scheme::kUInt8, Scheme::kInt8}) {
    if (NameOf(scheme) == name) return scheme;
  }
  return std::nullopt;
}

QuantizedLimits ActivationLimitsOf(Scheme scheme) {
  QAT_CHECK(scheme != Scheme::kFloat32);
  return scheme == Scheme::kInt8 ? kInt8Limits : kUInt8Limits;
}

QuantizedLimits FilterLimitsOf(Scheme scheme) {
  QAT_CHECK(scheme != Scheme::kFloat32);
  return scheme == Scheme::kInt8 ? kInt8NarrowLimits : kUInt8NarrowLimits;
}

QuantizationParams FixedParamsOf(QuantizationParams uint8, Scheme scheme) {
  return FixedParamsOf(uint8, PrecisionsOf(scheme).activations.type);
}

Range FilterRangeOf(Range measured, Scheme scheme) {
  return RangeFor(PrecisionsOf(scheme).filters, measured);
}

}  // namespace qat
