#include "calibrate/observer.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>

#include "base/check.h"

namespace qat {
namespace {

constexpr std::string_view kNames[] = {"minmax", "moving-average", "percentile", "mse", "kl"};

constexpr double kLeftOut = 1e-4;  // by the percentile, both ends together
constexpr int kSteps = 100;        // parts of an end that are tried
constexpr int kFewestSteps = 5;    // a narrower range than 5 % of what was seen is none
constexpr int kRounds = 2;         // in which one end is chosen for the other

bool IsOneSided(Range range) { return range.min == 0 || range.max == 0; }

Range Percentile(const ValueCounts& histogram) {
  const auto counts = histogram.counts();
  const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), histogram.zeros()));
  const double most = total * kLeftOut / (IsOneSided(histogram.range()) ? 1 : 2);
  size_t first = 0, last = counts.size();
  double below = 0, above = 0;
  while (first + 1 < last && below + static_cast<double>(counts[first]) <= most)
    below += static_cast<double>(counts[first++]);
  while (last > first + 1 && above + static_cast<double>(counts[last - 1]) <= most)
    above += static_cast<double>(counts[--last]);
  const double start = histogram.range().min;
  Range range = {static_cast<float>(start + static_cast<double>(first) * histogram.width()),
                 static_cast<float>(start + static_cast<double>(last) * histogram.width())};
  if (histogram.range().min == 0) range.min = 0;
  if (histogram.range().max == 0) range.max = 0;
  return range;
}

/// The mean squared difference of the values from what they become, each bin at its middle.
double SquaredError(const ValueCounts& histogram, const Precision& precision, Range range) {
  const QuantizedLimits limits = LimitsOf(precision);
  const QuantizationParams params = NudgedParams(RangeFor(precision, range), limits);
  double sum = 0;
  for (size_t i = 0; i < histogram.counts().size(); ++i) {
    if (histogram.counts()[i] == 0) continue;
    const double middle = histogram.Middle(i);
    const double steps = std::clamp(std::round(middle / params.scale) + params.zero_point,
                                    double(limits.quant_min), double(limits.quant_max));
    const double error = middle - (steps - params.zero_point) * double{params.scale};
    sum += static_cast<double>(histogram.counts()[i]) * error * error;
  }
  return sum;
}

/// KL(values || quantized values), over the bins of the range: what lies beyond is counted at its ends in the
/// first distribution and lost in the second, as in NVIDIA's entropy calibration (Migacz, 2017).
double Divergence(const ValueCounts& histogram, const Precision& precision, Range range) {
  const auto counts = histogram.counts();
  const double start = histogram.range().min;
  const auto bin_of = [&](double value) {
    return static_cast<size_t>(
        std::clamp(std::round((value - start) / histogram.width()), 0.0, double(counts.size())));
  };
  const size_t first = bin_of(range.min), last = std::max(bin_of(range.max), first + 1);
  const QuantizedLimits limits = LimitsOf(precision);
  const auto levels = static_cast<size_t>(limits.quant_max - limits.quant_min + 1);
  const size_t bins = last - first;
  if (bins <= levels)
    return std::numeric_limits<double>::infinity();  // nothing to be seen: a level has no two bins
  std::vector<double> reference(counts.begin() + static_cast<std::ptrdiff_t>(first),
                                counts.begin() + static_cast<std::ptrdiff_t>(last));
  std::vector<double> quantized(bins);
  for (size_t level = 0; level < levels; ++level) {
    const size_t begin = level * bins / levels, end = (level + 1) * bins / levels;
    double sum = 0;
    size_t used = 0;
    for (size_t i = begin; i < end; ++i) {
      sum += reference[i];
      used += reference[i] > 0;
    }
    for (size_t i = begin; i < end && used > 0; ++i)
      quantized[i] = reference[i] > 0 ? sum / static_cast<double>(used) : 0;
  }
  for (size_t i = 0; i < first; ++i) reference.front() += static_cast<double>(counts[i]);
  for (size_t i = last; i < counts.size(); ++i) reference.back() += static_cast<double>(counts[i]);
  const double total = std::accumulate(reference.begin(), reference.end(), 0.0);
  const double kept = std::accumulate(quantized.begin(), quantized.end(), 0.0);
  if (kept <= 0) return std::numeric_limits<double>::infinity();
  // A bin that only the values beyond have filled would have an infinite share.
  constexpr double kLeast = 1e-4;
  double divergence = 0;
  for (size_t i = 0; i < bins; ++i) {
    const double p = reference[i] / total,
                 q = std::max(quantized[i] / kept, kLeast / static_cast<double>(bins));
    if (p > 0) divergence += p * std::log(p / q);
  }
  return divergence;
}

/// The least loss over parts of both ends together, then of each end for the other.
template <class Loss>
Range Search(Range seen, const Loss& loss) {
  Range best = seen;
  double least = loss(seen);
  const auto consider = [&](Range range) {
    if (const double own = loss(range); own < least) least = own, best = range;
  };
  const auto part = [](float end, int step) { return end * static_cast<float>(step) / kSteps; };
  for (int step = kSteps - 1; step >= kFewestSteps; --step)
    consider({part(seen.min, step), part(seen.max, step)});
  if (IsOneSided(seen)) return best;
  for (int round = 0; round < kRounds; ++round) {
    const Range before = best;
    for (int step = kSteps; step >= kFewestSteps; --step) consider({part(seen.min, step), before.max});
    const Range lower = best;
    for (int step = kSteps; step >= kFewestSteps; --step) consider({lower.min, part(seen.max, step)});
  }
  return best;
}

}  // namespace

std::string_view NameOf(Observer observer) { return kNames[static_cast<size_t>(observer)]; }

std::optional<Observer> ObserverFromName(std::string_view name) {
  const auto found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<Observer>(found - std::begin(kNames));
}

bool NeedsHistogram(Observer observer) {
  return observer != Observer::kMinMax && observer != Observer::kMovingAverage;
}

void ValueCounts::Add(std::span<const float> values) {
  const double per_unit = 1 / width();
  for (const float value : values) {
    if (value == 0) {
      ++zeros_;
      continue;
    }
    const double at = (double{value} - range_.min) * per_unit;
    counts_[static_cast<size_t>(std::clamp(at, 0.0, double(kBins - 1)))] += 1;
  }
}

Range ChooseRange(Observer observer, const ValueCounts& histogram, const Precision& precision) {
  QAT_CHECK(NeedsHistogram(observer));
  if (observer == Observer::kPercentile) return IncludingZero(Percentile(histogram));
  const bool mse = observer == Observer::kMse;
  return Search(histogram.range(), [&](Range range) {
    return mse ? SquaredError(histogram, precision, range) : Divergence(histogram, precision, range);
  });
}

}  // namespace qat
