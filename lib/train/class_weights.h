// class_weights.h: what the loss of each class weighs, so that rare ones are not drowned.
#ifndef QAT_TRAIN_CLASS_WEIGHTS_H_
#define QAT_TRAIN_CLASS_WEIGHTS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/expected.h"
#include "data/dataset.h"
#include "spec/train_config.h"

namespace qat {

/// Weights of TaskLoss over the labels of some examples; empty: all weigh the same. Balanced are those of
/// classes, and of yes and no,
///   count of labels / (classes * count of the class)
/// with 0 for a class without an example, and of several labels at once count without / count with the label,
/// 1 where either is 0.
/// Errors: kInvalidArgument: another number of weights than classes or labels, a task without any.
Expected<std::vector<float>> WeightsOf(const ClassWeights& weights, const Dataset& data,
                                       std::span<const int32_t> examples);

/// The same of every output; numbers have none. Errors: weights as numbers where several outputs have
/// classes, too.
Expected<std::vector<std::vector<float>>> WeightsOfOutputs(const ClassWeights& weights, const Dataset& data,
                                                           std::span<const int32_t> examples);

}  // namespace qat

#endif  // QAT_TRAIN_CLASS_WEIGHTS_H_
