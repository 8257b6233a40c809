#include "train/gradient_norm.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace qat {
namespace {

double SumOfSquares(std::span<const float> values) {
  constexpr size_t kLanes = 8;  // a single sum would wait for itself
  double sums[kLanes] = {};
  for (size_t i = 0; i < values.size(); ++i) sums[i % kLanes] += double{values[i]} * values[i];
  return std::accumulate(sums, sums + kLanes, 0.0);
}

}  // namespace

double NormOfGradients(std::span<const TrainableSpan> parameters) {
  double squares = 0;
  for (const TrainableSpan& each : parameters) {
    const size_t rows = std::max<size_t>(each.units.size(), 1), length = each.gradient.size() / rows;
    for (size_t row = 0; row < rows; ++row) {
      const double unit = each.units.empty() ? 1 : each.units[row];
      squares += unit * unit * SumOfSquares(each.gradient.subspan(row * length, length));
    }
  }
  return std::sqrt(squares);
}

double ClipFactor(double norm, double most) { return std::min(1.0, most / (norm + 1e-6)); }

}  // namespace qat
