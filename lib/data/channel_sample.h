// channel_sample.h: some values of each channel of a tensor, and how many steps of a grid tell most of them
// apart. Single values far from all others leave the rest hardly any.
#ifndef QAT_DATA_CHANNEL_SAMPLE_H_
#define QAT_DATA_CHANNEL_SAMPLE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace qat {

/// Of each channel up to 4,096 values, evenly spaced over all that came; of more than 1,024 channels fewer,
/// 64 at least. Same values, same sample.
class ChannelSample {
 public:
  explicit ChannelSample(size_t channels = 0);
  /// Values [.., channels].
  void Observe(std::span<const float> values);

  size_t channels() const { return kept_.size(); }
  std::span<const float> Of(size_t channel) const { return kept_[channel]; }
  /// The standard deviation of those kept; 0 of none.
  double Deviation(size_t channel) const;

 private:
  void Thin();

  size_t most_;                   // values kept of a channel
  int64_t seen_ = 0, every_ = 1;  // of each channel; one in so many is kept
  std::vector<std::vector<float>> kept_;
};

/// Steps of the grid zero + k * step that the middle nine tenths of the values have, as if they lay evenly:
/// their deviation over that of what rounding changes them by. Infinity where they are all the same, or on
/// the grid.
/// Requires  a step above 0.
double StepsOfMost(std::span<const float> values, double step, double zero = 0);

}  // namespace qat

#endif  // QAT_DATA_CHANNEL_SAMPLE_H_
