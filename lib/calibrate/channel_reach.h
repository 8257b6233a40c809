// channel_reach.h: how far the channels of layers reach that a relu6 clips: what equalizing them has to heed.
#ifndef QAT_CALIBRATE_CHANNEL_REACH_H_
#define QAT_CALIBRATE_CHANNEL_REACH_H_

#include "base/expected.h"
#include "calibrate/float_run.h"
#include "data/dataset.h"
#include "ir/graph.h"
#include "passes/passes.h"

namespace qat {

/// The largest output of each channel (of the last axis) of every layer with a filter and a fused relu6, in
/// float32 on the examples chosen. Without such a layer nothing is run. Requires  a verified graph without
/// quantization, examples that fit its contract.
/// Errors: those of the data set, the writer and the interpreter; kInterrupted.
Expected<ChannelReach> FindChannelReach(const Graph& graph, const Dataset& dataset,
                                        const ChosenExamples& chosen, const WorkHooks& hooks);

}  // namespace qat

#endif  // QAT_CALIBRATE_CHANNEL_REACH_H_
