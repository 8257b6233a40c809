// run_contract.h: how the values of a training set become real numbers under a recipe, and what the outputs
// then mean.
#ifndef QAT_TRAIN_RUN_CONTRACT_H_
#define QAT_TRAIN_RUN_CONTRACT_H_

#include "base/expected.h"
#include "contract/contract.h"
#include "data/dataset.h"
#include "data/statistics.h"
#include "ir/graph.h"
#include "spec/train_config.h"

namespace qat {

/// Sizes and class names of the data; mean and std of the recipe, or measured where it says "dataset"; of
/// reals the range of the training split. A channel of reals that has one value has the std 1.
/// Targets are normalized by the mean and std of each over the training split where the recipe scales to them
/// and `network` can give any number.
/// Errors: kInvalidArgument (as many numbers as channels, or one), kCorrupt (a std of 0), the stream's.
Expected<Contract> MakeContract(const TrainConfig& config, const Dataset& train, const Graph& network);

/// The channels of a real input that span fewer than 8 of the 255 steps that all of them share, in a sentence
/// with the way out; empty: there are none. `measured` is of the training data.
std::string CoarseChannels(const InputContract& input, const ChannelStatistics& measured,
                           const ExampleInput& data);

/// The channels of a real input whose values lie, nine of ten, within fewer than 8 of these steps, since
/// single ones reach far; a channel that CoarseChannels has is left out. `sample` is of the training data, as
/// they are.
std::string CrowdedChannels(const InputContract& input, const ChannelStatistics& measured,
                            const ChannelSample& sample, const ExampleInput& data);

}  // namespace qat

#endif  // QAT_TRAIN_RUN_CONTRACT_H_
