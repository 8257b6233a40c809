// scheme.h: what a network is trained for, and the integer ranges that follow from it.
#ifndef QAT_QUANT_SCHEME_H_
#define QAT_QUANT_SCHEME_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "quant/params.h"

namespace qat {

/// kUInt8  activations and filters asymmetric per tensor, filters narrow: TensorFlow 1's whole-graph uint8.
/// kInt8   activations asymmetric per tensor, filters symmetric per output channel: TFLite's specification of
/// today.
enum class Scheme : uint8_t { kFloat32, kUInt8, kInt8 };

/// "float32", "uint8", "int8".
std::string_view NameOf(Scheme scheme);
std::optional<Scheme> SchemeFromName(std::string_view name);

inline constexpr QuantizedLimits kInt8Limits = {-128, 127};        ///< activations, scheme int8
inline constexpr QuantizedLimits kInt8NarrowLimits = {-127, 127};  ///< filters, scheme int8

/// Integer range of activations and of filters. Requires a quantized scheme.
QuantizedLimits ActivationLimitsOf(Scheme scheme);
QuantizedLimits FilterLimitsOf(Scheme scheme);

/// One scale for each output channel of a filter.
inline bool FiltersPerAxis(Scheme scheme) { return scheme == Scheme::kInt8; }

/// Parameters that the specification fixes, given for uint8: those of int8 have the zero point 128 lower.
QuantizationParams FixedParamsOf(QuantizationParams uint8, Scheme scheme);

/// The range of a filter, or of one channel of it, that the scheme quantizes with: as measured for uint8,
/// made symmetric around 0 for int8, so that NudgedParams gives the zero point 0.
Range FilterRangeOf(Range measured, Scheme scheme);

}  // namespace qat

#endif  // QAT_QUANT_SCHEME_H_
