#include "train/mixup.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "train/initializer.h"

namespace qat {
namespace {

constexpr uint64_t kMixupPurpose = 0x6d69786d;  // "mixm"

// In (0, 1).
double Open(Random& random) { return double{random.Uniform()} + 0x1p-25; }

// The logarithm of a draw from Gamma(shape, 1), which for small shapes is less than any double.
// Source    Marsaglia, Tsang 2000; below 1 by Gamma(shape + 1) * U^(1 / shape).
double LogGamma(double shape, Random& random) {
  if (shape < 1) {
    const double larger = LogGamma(shape + 1, random);
    return larger + std::log(Open(random)) / shape;
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    const double x = Normal(random), root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(Open(random)) < x * x / 2 + d - d * v + d * std::log(v)) return std::log(d * v);
  }
}

}  // namespace

double DrawBeta(double alpha, Random& random) {
  const double a = LogGamma(alpha, random), b = LogGamma(alpha, random);
  return 1 / (1 + std::exp(b - a));
}

Mixture DrawMixture(double alpha, uint64_t seed, int64_t step, int32_t batch_size) {
  Random random(MixKey(seed, kMixupPurpose, step));
  const double drawn = DrawBeta(alpha, random);
  Mixture mixture = {std::max(drawn, 1 - drawn), std::vector<int32_t>(static_cast<size_t>(batch_size))};
  std::iota(mixture.partners.begin(), mixture.partners.end(), 0);
  Shuffle(std::span(mixture.partners), random);
  return mixture;
}

}  // namespace qat
