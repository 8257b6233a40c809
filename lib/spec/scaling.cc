#include "spec/scaling.h"

#include <algorithm>

namespace qat {

int32_t* FiltersOf(OpAttributes& attributes) {
  return std::visit(
      [](auto& a) -> int32_t* {
        if constexpr (requires { a.filters; }) return &a.filters;
        return nullptr;
      },
      attributes);
}

bool HasStride(const OpAttributes& attributes) {
  return std::visit(
      [](const auto& a) {
        return requires { a.stride_h; };
      },
      attributes);
}

void SetStrideToOne(OpAttributes& attributes) {
  std::visit(
      [](auto& a) {
        if constexpr (requires { a.stride_h; }) a.stride_h = a.stride_w = 1;
      },
      attributes);
}

int32_t ScaledFilters(int32_t filters, double width, int32_t divisor) {
  const double wanted = filters * width;
  auto scaled = std::max<int64_t>(divisor, static_cast<int64_t>(wanted + divisor / 2.0) / divisor * divisor);
  if (static_cast<double>(scaled) < 0.9 * wanted) scaled += divisor;
  return static_cast<int32_t>(std::min<int64_t>(scaled, 1 << 20));
}

}  // namespace qat
