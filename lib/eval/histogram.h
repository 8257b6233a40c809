// histogram.h: counting values into cells of equal width.
#ifndef QAT_EVAL_HISTOGRAM_H_
#define QAT_EVAL_HISTOGRAM_H_

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "report/report.h"

namespace qat {

/// Requires low < high, cells > 0. Ends so far apart that their distance is infinite count nothing.
inline Histogram EmptyHistogram(double low, double high, size_t cells) {
  return {low, high, std::vector<int64_t>(cells)};
}

/// A cell holds [low + i * width, low + (i + 1) * width); values beyond the ends are counted in the
/// outermost, NaN nowhere.
inline void Count(double value, Histogram& histogram) {
  const auto cells = static_cast<double>(histogram.counts.size());
  const double place = std::floor((value - histogram.low) / (histogram.high - histogram.low) * cells);
  if (std::isnan(place)) return;
  ++histogram.counts[static_cast<size_t>(std::clamp(place, 0.0, cells - 1))];
}

}  // namespace qat

#endif  // QAT_EVAL_HISTOGRAM_H_
