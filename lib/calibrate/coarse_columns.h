// coarse_columns.h: inputs of a layer whose weights are hardly a step, since their values are so much larger
// than those of the others.
#ifndef QAT_CALIBRATE_COARSE_COLUMNS_H_
#define QAT_CALIBRATE_COARSE_COLUMNS_H_

#include <string>

#include "data/channel_sample.h"
#include "ir/graph.h"
#include "quant/precision.h"

namespace qat {

/// One sentence with ways out; empty: no dense layer or convolution that reads the input itself loses more
/// than 5 % of the deviation of its sums by the rounding of its filter, or standardized channels would hardly
/// help. Channels are taken as independent of one another.
/// Requires  a sample of the input's channels.
std::string DescribeCoarseColumns(const Graph& graph, size_t input, const ChannelSample& sample,
                                  const Precision& filters);

}  // namespace qat

#endif  // QAT_CALIBRATE_COARSE_COLUMNS_H_
