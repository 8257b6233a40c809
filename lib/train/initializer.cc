#include "train/initializer.h"

#include <cmath>
#include <numbers>

namespace qat {
namespace {

constexpr uint64_t kPurpose = 0x696e6974;  // "init"

float TruncatedNormal(Random& random) {
  while (true) {
    const float value = Normal(random);
    if (std::abs(value) <= 2) return value;
  }
}

}  // namespace

float Normal(Random& random) {
  // 1 - u is in (0, 1]: the logarithm stays finite.
  const double radius = std::sqrt(-2 * std::log(1.0 - static_cast<double>(random.Uniform())));
  const double angle = 2 * std::numbers::pi * static_cast<double>(random.Uniform());
  return static_cast<float>(radius * std::cos(angle));
}

NamedTensor InitialFilter(const Shape& shape, const TrainedTensor& trained, uint64_t seed,
                          std::string_view layer) {
  const Initializer& initializer = trained.initializer;
  Random random(MixKey(seed, kPurpose, NameKey(layer)));
  const float he = std::sqrt(2.0f / static_cast<float>(trained.fan_in));
  const float glorot = std::sqrt(6.0f / static_cast<float>(trained.fan_in + trained.fan_out));
  NamedTensor filter;
  filter.shape = shape;
  filter.values.resize(static_cast<size_t>(FlatSize(shape)));
  for (float& value : filter.values) {
    switch (initializer.kind) {
      case Initializer::Kind::kHeNormal:
        value = he * Normal(random);
        break;
      case Initializer::Kind::kGlorotUniform:
        value = glorot * (2 * random.Uniform() - 1);
        break;
      case Initializer::Kind::kTruncatedNormal:
        value = initializer.stddev * TruncatedNormal(random);
        break;
      case Initializer::Kind::kOnes:
        value = 1;
        break;
      case Initializer::Kind::kConstant:
        value = initializer.value;
        break;
    }
  }
  return filter;
}

uint64_t NameKey(std::string_view name) {
  uint64_t key = 0xcbf29ce484222325u;
  for (const char c : name) key = (key ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return key;
}

}  // namespace qat
