// fit_geometry.h: which part of a picture becomes which part of the size that a network takes; image.h says
// the rule.
#ifndef QAT_DATA_FIT_GEOMETRY_H_
#define QAT_DATA_FIT_GEOMETRY_H_

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "contract/input_contract.h"

namespace qat {

/// One axis: places [at, at + out) of the result are `out` equal parts of [begin, begin + out * step) of the
/// picture; others are padding.
struct FittedAxis {
  int32_t at = 0;
  int32_t out = 0;
  double begin = 0;
  double step = 1;
};

struct FitGeometry {
  FittedAxis rows, columns;
};

/// Requires  sizes with no 0.
inline FitGeometry GeometryOf(int32_t own_height, int32_t own_width, int32_t height, int32_t width, Fit fit) {
  const auto stretched = [](int32_t own, int32_t out, int32_t size) {
    return FittedAxis{(size - out) / 2, out, 0, static_cast<double>(own) / out};
  };
  if (fit == Fit::kStretch)
    return {stretched(own_height, height, height), stretched(own_width, width, width)};
  const double rows = static_cast<double>(own_height) / height,
               columns = static_cast<double>(own_width) / width;
  if (fit == Fit::kPad) {
    const double step = std::max(rows, columns);
    const auto out = [step](int32_t own, int32_t most) {
      return std::clamp(static_cast<int32_t>(std::lround(own / step)), 1, most);
    };
    return {stretched(own_height, out(own_height, height), height),
            stretched(own_width, out(own_width, width), width)};
  }
  const double step = std::min(rows, columns);
  return {{0, height, (own_height - height * step) / 2, step},
          {0, width, (own_width - width * step) / 2, step}};
}

}  // namespace qat

#endif  // QAT_DATA_FIT_GEOMETRY_H_
