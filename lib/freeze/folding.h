// folding.h: checks that the filters of a frozen graph compute what filter and batch normalization did
// separately.
#ifndef QAT_FREEZE_FOLDING_H_
#define QAT_FREEZE_FOLDING_H_

#include <string>
#include <vector>

#include "base/expected.h"
#include "checkpoint/checkpoint.h"
#include "ir/graph.h"

namespace qat {

struct FoldedLayer {
  std::string name;
  double difference = 0;
};

/// The layers with batch normalization, each on the same inputs x (noise in [-1, 1], one value for each of
/// its filter's):
///   trained  gamma * (filter * x - moving_mean) / sqrt(moving_variance + epsilon) + beta, from the
///            checkpoint, in double
///   frozen   filter' * x + bias', from the graph, in double
/// `difference` is the largest |trained - frozen| of a channel as a part of the largest sum of a channel's
/// terms without their signs, which is what rounding is relative to: about 2^-24 where all is well.
/// Requires  a graph that was frozen from this checkpoint of this network.
std::vector<FoldedLayer> CompareFolded(const Checkpoint& checkpoint, const Graph& network,
                                       const Graph& graph);

/// Errors: kInternal where a layer differs by more than rounding to float32 can explain.
Status CheckFolded(const std::vector<FoldedLayer>& layers);

}  // namespace qat

#endif  // QAT_FREEZE_FOLDING_H_
