// filter_ranges.h: what learned ranges make of the filters of a checkpoint.
#ifndef QAT_CHECKPOINT_FILTER_RANGES_H_
#define QAT_CHECKPOINT_FILTER_RANGES_H_

#include <string>
#include <vector>

#include "base/expected.h"
#include "checkpoint/checkpoint.h"

namespace qat {

/// The values of a filter as they are folded and deployed: rounded to the grids of the learned ends of its
/// channels, where it has them. A range of the whole filter clamps it when it is quantized. Requires  ranges
/// that CheckFilterRanges has passed.
std::vector<float> DeployedFilter(const Checkpoint& checkpoint, const std::string& name,
                                  const OpDefinition& op);

/// Errors: kCorrupt where ranges are of no filter of the network, of another number of channels, or negative,
/// or leave filters out.
Status CheckFilterRanges(const Checkpoint& checkpoint);

}  // namespace qat

#endif  // QAT_CHECKPOINT_FILTER_RANGES_H_
