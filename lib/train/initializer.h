// initializer.h: how filters start. Drawn from base/random.h, so a seed means the same network under every
// LibTorch.
#ifndef QAT_TRAIN_INITIALIZER_H_
#define QAT_TRAIN_INITIALIZER_H_

#include <cstdint>
#include <string_view>

#include "base/random.h"
#include "checkpoint/checkpoint.h"
#include "ir/trained.h"

namespace qat {

/// A standard normal number, by Box and Muller's transform.
float Normal(Random& random);

/// A filter in TFLite's layout, from the stream named (seed, layer):
///   he_normal         N(0, 2 / fan_in)
///   glorot_uniform    U(-a, a), a = sqrt(6 / (fan_in + fan_out))
///   truncated_normal  N(0, stddev^2), values beyond two standard deviations drawn again
///   ones              1
///   constant          its value
NamedTensor InitialFilter(const Shape& shape, const TrainedTensor& trained, uint64_t seed,
                          std::string_view layer);

/// A number for a name, to key streams with (FNV-1a).
uint64_t NameKey(std::string_view name);

}  // namespace qat

#endif  // QAT_TRAIN_INITIALIZER_H_
