// statistics.h: mean, standard deviation and range of the values of a data set, for the input contract.
#ifndef QAT_DATA_STATISTICS_H_
#define QAT_DATA_STATISTICS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/expected.h"
#include "data/channel_sample.h"
#include "data/dataset.h"

namespace qat {

struct ChannelStatistics {
  std::vector<double> mean;      ///< [channels], in units of the values
  std::vector<double> std;       ///< [channels], of the population
  std::vector<double> low = {};  ///< [channels], the smallest and the largest value
  std::vector<double> high = {};
};

/// Over every value of one input of every example. Of bytes exact up to the last division and root: they are
/// counted, not summed in float; of reals in float64, the deviation from a mean that is known, in a second
/// pass.
/// Requires  a data set that is not empty.
/// Errors    the stream's.
Expected<ChannelStatistics> MeasureChannels(const Dataset& dataset, size_t input = 0);

/// The same of each value of an example by itself, in its order: [height * width * channels]. Requires  an
/// input of reals.
Expected<ChannelStatistics> MeasureValues(const Dataset& dataset, size_t input = 0);

/// Real values of each channel, as they are, of up to 1,000 examples evenly spaced. Requires  an input of
/// reals, a data set that is not empty. Errors: the stream's.
Expected<ChannelSample> SampleChannels(const Dataset& dataset, size_t input = 0);

struct TargetStatistics {
  std::vector<double> mean;  ///< [targets], or [channels]
  std::vector<double> std;   ///< as many, of the population; 1 where all are the same
};

/// Of all values together, whatever their channel or target, where each of these has as many.
struct PooledStatistics {
  double mean = 0;
  double std = 0;  ///< of the population
};
PooledStatistics Pool(std::span<const double> means, std::span<const double> stds);

/// Over the real numbers of some examples, as far as they are known: of each target, or of the channels of
/// targets that are places [.., channels], over all places. Requires Dataset::targets > 0, a multiple of
/// `channels`, and an example.
TargetStatistics MeasureTargets(const OutputLabels& dataset, std::span<const int32_t> examples,
                                size_t channels = 0);

}  // namespace qat

#endif  // QAT_DATA_STATISTICS_H_
