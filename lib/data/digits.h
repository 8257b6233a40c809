// digits.h: the embedded default data: handwriting-like digits, generated. Integer arithmetic only, so that
// every machine makes the same bytes (libm and fused multiply-add differ between machines).
#ifndef QAT_DATA_DIGITS_H_
#define QAT_DATA_DIGITS_H_

#include <cstdint>

#include "data/dataset.h"

namespace qat {

inline constexpr int64_t kDigitsTrainSize = 60000;
inline constexpr int64_t kDigitsTestSize = 10000;

/// `count` images [28, 28, 1] of the split, white on black as MNIST: strokes with affine jitter, thickness,
/// gaps and noise.
/// Image i depends on (seed, split, i) only. Requires count <= the split's size.
Dataset MakeDigits(Split split, int64_t count, uint64_t seed = 2020);

}  // namespace qat

#endif  // QAT_DATA_DIGITS_H_
