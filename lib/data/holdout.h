// holdout.h: which training examples are held out of training, to choose the best checkpoint on.
#ifndef QAT_DATA_HOLDOUT_H_
#define QAT_DATA_HOLDOUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/expected.h"
#include "data/dataset.h"

namespace qat {

/// What is held out where nobody says how much, of `examples` to train on: a tenth, at least one and at most
/// kMostHeldOut. With 5,000 examples, the standard error of an accuracy is at most 0.7 points; more would
/// only be lost to training.
int64_t AutomaticHoldout(int64_t examples);
inline constexpr int64_t kMostHeldOut = 5000;

/// The training split in two; both ascending.
struct HoldoutSplit {
  std::vector<int32_t> train;
  std::vector<int32_t> holdout;  ///< empty: the test split is watched instead
  std::string description;       ///< a phrase for people: how many examples, and how they were chosen
};

/// Holds out `wanted` examples; negative: AutomaticHoldout. Same data and seed, same split.
///   classes         each gives its share, to within one example, and keeps at least one for training
///   a real number   one from each of as many equal parts of the sorted targets
///   others          (several numbers, one label per pixel) a plain shuffle
/// Data with a holdout of their own (Dataset::own_holdout) keep it, unless 0 are wanted.
/// Where no class can spare an example, an automatic holdout is empty.
/// Errors: kInvalidArgument, where nothing would be left to train on.
Expected<HoldoutSplit> SplitHoldout(const Dataset& data, int64_t wanted, uint64_t seed);

/// The split of runs that were begun before holdouts were stratified: the last `holdout` of a seeded shuffle.
/// Requires 0 <= holdout < examples.
HoldoutSplit ShuffledHoldout(int64_t examples, int64_t holdout, uint64_t seed);

/// SHA-256 over the indices held out: what a resumed run must find again.
std::string Fingerprint(const HoldoutSplit& split);

}  // namespace qat

#endif  // QAT_DATA_HOLDOUT_H_
