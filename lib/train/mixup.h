// mixup.h: which examples of a batch are mixed with which, and how much of each.
#ifndef QAT_TRAIN_MIXUP_H_
#define QAT_TRAIN_MIXUP_H_

#include <cstdint>
#include <vector>

#include "base/random.h"

namespace qat {

/// From Beta(alpha, alpha), on [0, 1]. Requires  alpha > 0.
double DrawBeta(double alpha, Random& random);

/// Every example of a batch becomes share * itself + (1 - share) * its partner, and so does its loss.
struct Mixture {
  double share = 1;               ///< in [0.5, 1]: an example has the larger part of itself
  std::vector<int32_t> partners;  ///< a permutation of the positions in the whole batch
};

/// That of a step: of a draw from Beta(alpha, alpha) and what it leaves of 1, the larger is the share.
/// Source    Zhang et al. 2018, where either may be; as partners are drawn at random, the mixed pairs are the
/// same.
Mixture DrawMixture(double alpha, uint64_t seed, int64_t step, int32_t batch_size);

}  // namespace qat

#endif  // QAT_TRAIN_MIXUP_H_
