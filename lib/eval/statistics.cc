#include "eval/statistics.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace qat {
namespace {

constexpr double kZ = 1.959963984540054;  // 97.5 % quantile of the normal distribution

}  // namespace

double McNemarP(int64_t right_to_wrong, int64_t wrong_to_right) {
  QAT_CHECK(right_to_wrong >= 0 && wrong_to_right >= 0);
  const auto n = static_cast<double>(right_to_wrong + wrong_to_right);
  const auto fewer = static_cast<double>(std::min(right_to_wrong, wrong_to_right));
  // From the largest term down: C(n, i - 1) = C(n, i) * i / (n - i + 1).
  double term =
      std::exp(std::lgamma(n + 1) - std::lgamma(fewer + 1) - std::lgamma(n - fewer + 1) - n * std::log(2.0));
  double sum = 0;
  for (double i = fewer; i >= 0 && term > sum * 1e-17; --i) {
    sum += term;
    term *= i / (n - i + 1);
  }
  return std::min(1.0, 2 * sum);
}

Interval WilsonInterval(int64_t correct, int64_t total) {
  QAT_CHECK(correct >= 0 && correct <= total && total > 0);
  const auto n = static_cast<double>(total);
  const double p = static_cast<double>(correct) / n;
  const double centre = (p + kZ * kZ / (2 * n)) / (1 + kZ * kZ / n);
  const double half = kZ * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n)) / (1 + kZ * kZ / n);
  return {correct == 0 ? 0 : centre - half, correct == total ? 1 : centre + half};
}

Interval PairedDifferenceInterval(const PairedCounts& counts) {
  const auto both = static_cast<double>(counts.both_right), b = static_cast<double>(counts.right_to_wrong);
  const auto c = static_cast<double>(counts.wrong_to_right), none = static_cast<double>(counts.both_wrong);
  const int64_t first = counts.both_right + counts.right_to_wrong;
  const int64_t second = counts.both_right + counts.wrong_to_right;
  const int64_t total = first + counts.wrong_to_right + counts.both_wrong;
  const auto n = static_cast<double>(total);
  const Interval w1 = WilsonInterval(first, total), w2 = WilsonInterval(second, total);
  const double p1 = static_cast<double>(first) / n, p2 = static_cast<double>(second) / n;
  // The correlation of the two, with a continuity correction where it is positive.
  double covariance = both * none - b * c;
  if (covariance > 0) covariance = std::max(covariance - n / 2, 0.0);
  const double spread = std::sqrt((both + b) * (c + none) * (both + c) * (b + none));
  const double phi = spread > 0 ? covariance / spread : 0;
  const auto distance = [phi](double u, double v) {
    return std::sqrt(std::max(u * u - 2 * phi * u * v + v * v, 0.0));
  };
  return {p1 - p2 - distance(p1 - w1.low, w2.high - p2), p1 - p2 + distance(w1.high - p1, p2 - w2.low)};
}

}  // namespace qat
