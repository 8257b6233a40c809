#include "quant/precision.h"

namespace qat {

Precisions PrecisionsOf(Scheme scheme) {
  switch (scheme) {
    case Scheme::kUInt8:
      return {{DType::kUInt8, 8}, {.type = DType::kUInt8, .bits = 8, .narrow = true}};
    case Scheme::kInt8:
      return {{DType::kInt8, 8},
              {.type = DType::kInt8, .bits = 8, .symmetric = true, .narrow = true, .granularity = Granularity::kAxis}};
    case Scheme::kFloat32:
      break;
  }
  return {};
}

std::optional<Scheme> SchemeOf(const Precisions& precisions) {
  for (const Scheme scheme : {Scheme::kFloat32, Scheme::kUInt8, Scheme::kInt8}) {
    if (PrecisionsOf(scheme) == precisions) return scheme;
  }
  return std::nullopt;
}

}  // namespace qat
