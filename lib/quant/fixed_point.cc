#include "quant/fixed_point.h"

#include <cmath>
#include <limits>

#include "base/check.h"

namespace qat {

FixedPointMultiplier QuantizeMultiplier(double real_multiplier) {
  QAT_CHECK(std::isfinite(real_multiplier));
  if (real_multiplier == 0) return {};
  int shift = 0;
  const double fraction = std::frexp(real_multiplier, &shift);
  auto multiplier = static_cast<int64_t>(std::round(fraction * static_cast<double>(int64_t{1} << 31)));
  if (multiplier == (int64_t{1} << 31)) {
    multiplier /= 2;
    ++shift;
  }
  if (shift < -31) return {};
  if (shift > 30) return {std::numeric_limits<int32_t>::max(), 30};
  return {static_cast<int32_t>(multiplier), shift};
}

}  // namespace qat
