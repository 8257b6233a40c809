// precision.h: what values are quantized to, as a value. Text is parsed at the border of a file or a flag;
// nothing inside compares it.
#ifndef QAT_QUANT_PRECISION_H_
#define QAT_QUANT_PRECISION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/dtype.h"
#include "quant/scheme.h"

namespace qat {

enum class Granularity : int8_t { kTensor = 0, kAxis = 1, kBlock = 2 };

/// Of values of one kind. Type kFloat32: they stay real, and the rest means nothing.
struct Precision {
  DType type = DType::kFloat32;
  int32_t bits = 32;
  bool symmetric = false;  ///< the zero point is 0
  bool narrow = false;     ///< the lowest integer is left out, as in [-127, 127]
  Granularity granularity = Granularity::kTensor;
  int32_t block_size = 0;  ///< kBlock: values that share a scale
  bool operator==(const Precision&) const = default;

  bool is_real() const { return type == DType::kFloat32; }
  /// One scale for each output channel of a filter.
  bool per_axis() const { return granularity == Granularity::kAxis; }
};

inline constexpr Precision kInt8Filters = {
    .type = DType::kInt8, .bits = 8, .symmetric = true, .narrow = true};
inline constexpr Precision kInt8FiltersPerAxis = {
    .type = DType::kInt8, .bits = 8, .symmetric = true, .narrow = true, .granularity = Granularity::kAxis};

inline constexpr Precision kInt4FiltersPerAxis = {
    .type = DType::kInt4, .bits = 4, .symmetric = true, .narrow = true, .granularity = Granularity::kAxis};
inline constexpr Precision kInt16Activations = {
    .type = DType::kInt16, .bits = 16, .symmetric = true, .narrow = true};

/// Activations of uint8, int8 or int16.
Precision ActivationsOf(DType type);

/// `filters` with 4 or 8 bits. Requires  symmetric filters.
Precision WithBits(Precision filters, int32_t bits);

/// The integers of a precision, both ends included. Requires  integers of at most 16 bits.
QuantizedLimits LimitsOf(const Precision& precision);

/// The range that a precision quantizes values with which lie in `measured`: with 0; around it where it is
/// symmetric, and then no less than NudgedParams needs to give the zero point 0. Requires  integers of at
/// most 16 bits.
Range RangeFor(const Precision& precision, Range measured);

struct Precisions {
  Precision activations;
  Precision filters;
  bool operator==(const Precisions&) const = default;
  bool is_real() const { return activations.is_real(); }
};

/// The two have a name: "uint8", "int8", "int8-per-tensor", "int16x8", "w4a8"; nothing for others.
std::optional<Precisions> IntegersFromName(std::string_view name);
/// The same, and "float32".
std::optional<Precisions> PrecisionsFromName(std::string_view name);
bool HasName(const Precisions& precisions);
/// Requires  a pair that has a name, or real numbers.
std::string_view NameOf(const Precisions& precisions);
/// "uint8, int8, int8-per-tensor, int16x8, w4a8".
std::string IntegerNames();

/// What the sums of a layer are kept in and its bias is stored as: int64 beside activations of int16, else
/// int32.
DType SumTypeOf(const Precision& activations);

/// A bias beside int16 activations in 64 bits: clamp(round(bias / scale)), half away from zero; `scale` is
/// the product of those of input and filter. Clamped to 2^46, since TFLite multiplies sums by a 16-bit
/// number.
int64_t QuantizeWideBias(float bias, float scale);

/// Parameters that the specification fixes, given for uint8: those of int8 have the zero point 128 lower,
/// those of int16 are always (2^-15, 0). Requires  integers.
QuantizationParams FixedParamsOf(QuantizationParams uint8, DType type);

Precisions PrecisionsOf(Scheme scheme);

}  // namespace qat

#endif  // QAT_QUANT_PRECISION_H_
