// observer.h: from the values that a tensor took on data to the range that it is quantized with.
#ifndef QAT_CALIBRATE_OBSERVER_H_
#define QAT_CALIBRATE_OBSERVER_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "quant/params.h"
#include "quant/precision.h"

namespace qat {

/// kMinMax         the least and the largest value.
/// kMovingAverage  of the ends of single examples, each new one with the weight 0.05, the first with 1.
/// kPercentile     what 99.99 % of the values lie in: 0.005 % are left out at each end, at one end where the
/// other is 0.
/// kMse            the range that the values lose least with, by squared error.
/// kKl             the range whose quantized distribution is nearest to that of the values, by Kullback and
/// Leibler's divergence.
enum class Observer : uint8_t { kMinMax, kMovingAverage, kPercentile, kMse, kKl };

/// "minmax", "moving-average", "percentile", "mse", "kl".
std::string_view NameOf(Observer observer);
std::optional<Observer> ObserverFromName(std::string_view name);

/// Whether it needs a histogram, and so a second look at the data.
bool NeedsHistogram(Observer observer);

/// How often values fell into each of kBins parts of a range of the same width.
class ValueCounts {
 public:
  static constexpr size_t kBins = 2048;
  /// Requires  an end beside 0, `range` holds 0.
  explicit ValueCounts(Range range) : range_(range), counts_(kBins) {}
  /// Values beyond the range count at its ends; those that are 0, which every range holds exactly, by
  /// themselves.
  void Add(std::span<const float> values);

  Range range() const { return range_; }
  std::span<const uint64_t> counts() const { return counts_; }
  uint64_t zeros() const { return zeros_; }
  double width() const { return (double{range_.max} - range_.min) / kBins; }
  /// The middle of a bin.
  double Middle(size_t bin) const { return range_.min + (static_cast<double>(bin) + 0.5) * width(); }

 private:
  Range range_;
  std::vector<uint64_t> counts_;
  uint64_t zeros_ = 0;
};

/// The range by an observer that needs a histogram, for values quantized to `precision`: within that of the
/// histogram, with 0.
/// Ends that are 0 stay so.
Range ChooseRange(Observer observer, const ValueCounts& histogram, const Precision& precision);

}  // namespace qat

#endif  // QAT_CALIBRATE_OBSERVER_H_
