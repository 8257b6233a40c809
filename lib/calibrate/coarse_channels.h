// coarse_channels.h: channels of inputs and outputs that have hardly any steps, since all channels of a
// tensor share one scale.
#ifndef QAT_CALIBRATE_COARSE_CHANNELS_H_
#define QAT_CALIBRATE_COARSE_CHANNELS_H_

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "calibrate/calibrate.h"
#include "data/channel_sample.h"
#include "ir/graph.h"
#include "ir/range_groups.h"

namespace qat {

/// What each channel took, without 0: numbers far from 0 lose their steps as small ones do.
class ChannelExtents {
 public:
  explicit ChannelExtents(size_t channels = 0) : extents_(channels) {}
  /// Values [.., channels].
  void Observe(std::span<const float> values);

  size_t channels() const { return extents_.size(); }
  /// Of all channels, with 0.
  Range Reach() const;
  /// The channels that span fewer than 8 of the steps that `range` has; those that never change say nothing
  /// in any case.
  std::vector<size_t> Coarse(Range range, QuantizedLimits limits) const;

 private:
  std::vector<std::optional<Range>> extents_;
};

/// For an output of reals [.., C]; without channels where one class of several is chosen, whose scores share
/// a scale by nature.
ChannelExtents ExtentsForOutput(const Graph& graph, size_t index);

/// One sentence with the way out; empty: no channel is coarse. The range of the input is that of its
/// contract; `tensor` is its name in the graph.
std::string DescribeCoarseInput(const InputContract& input, const std::string& tensor,
                                const ChannelExtents& extents, QuantizedLimits limits);

/// One sentence with ways out, where most values of a channel lie within fewer than 8 steps, since single
/// ones reach far from them; empty: no channel that is not coarse is like that. The range of the input is
/// that of its contract. Requires  as many channels of each.
std::string DescribeCrowdedInput(const InputContract& input, const std::string& tensor,
                                 const ChannelExtents& extents, const ChannelSample& sample,
                                 QuantizedLimits limits);

/// The same as DescribeCoarseInput of an output by the ranges that were observed; empty, too, for ranges that
/// are fixed or the input's, and where the output stays real.
std::string DescribeCoarseOutput(const Graph& graph, size_t index, const ChannelExtents& extents,
                                 const std::map<int32_t, Range>& ranges, const RangeGroups& groups,
                                 const CalibrationOptions& options);

}  // namespace qat

#endif  // QAT_CALIBRATE_COARSE_CHANNELS_H_
