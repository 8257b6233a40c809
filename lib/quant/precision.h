// precision.h: what values are quantized to, as a value. Text is parsed at the border of a file or a flag; nothing inside compares
// it.
#ifndef QAT_QUANT_PRECISION_H_
#define QAT_QUANT_PRECISION_H_

#include <cstdint>
#include <optional>

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
};

struct Precisions {
  Precision activations;
  Precision filters;
  bool operator==(const Precisions&) const = default;
};

Precisions PrecisionsOf(Scheme scheme);
/// The scheme that means these; nothing where this build has none.
std::optional<Scheme> SchemeOf(const Precisions& precisions);

}  // namespace qat

#endif  // QAT_QUANT_PRECISION_H_
