#include "eval/time_ratio.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/check.h"
#include "base/random.h"

namespace qat {
namespace {

constexpr uint64_t kBootstrapPurpose = 0x73706565;
constexpr int kResamples = 1000;
constexpr size_t kMostBlocks = 40;
constexpr size_t kFewestValues = 20;
constexpr float kLeastMicroseconds = 1e-3f;

// Values sorted once: a resample is then a weight a block, and its median one walk.
class WeightedMedian {
 public:
  WeightedMedian(std::span<const float> values, size_t blocks) : sizes_(blocks, 0) {
    for (size_t i = 0; i < values.size(); ++i) {
      sorted_.push_back({values[i], i * blocks / values.size()});
      ++sizes_[sorted_.back().block];
    }
    std::sort(sorted_.begin(), sorted_.end(),
              [](const Entry& a, const Entry& b) { return a.value < b.value; });
  }

  double Of(std::span<const uint32_t> weights) const {
    uint64_t seen = 0, total = 0;
    for (size_t i = 0; i < sizes_.size(); ++i) total += weights[i] * sizes_[i];
    for (const Entry& entry : sorted_) {
      seen += weights[entry.block];
      if (2 * seen >= total) return double{entry.value};
    }
    return double{sorted_.back().value};
  }

 private:
  struct Entry {
    float value;
    size_t block;
  };
  std::vector<Entry> sorted_;
  std::vector<uint64_t> sizes_;
};

float At(std::span<const float> turns, size_t i) { return std::max(turns[i], kLeastMicroseconds); }

// With an odd number of turns, the last one has no partner; it counts only if there is no pair at all.
std::vector<float> RatiosOfPairs(std::span<const float> a, std::span<const float> b) {
  std::vector<float> ratios;
  for (size_t i = 0; i + 1 < a.size(); i += 2)
    ratios.push_back(std::sqrt(At(b, i) / At(a, i) * (At(b, i + 1) / At(a, i + 1))));
  if (ratios.empty()) ratios.push_back(At(b, 0) / At(a, 0));
  return ratios;
}

}  // namespace

float MedianOf(std::span<const float> values) {
  QAT_CHECK(!values.empty());
  std::vector<float> sorted(values.begin(), values.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() - 1) / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

std::optional<Interval> MedianInterval(std::span<const float> values, uint64_t seed) {
  if (values.size() < kFewestValues) return std::nullopt;
  const size_t blocks = std::min(values.size(), kMostBlocks);
  const WeightedMedian median(values, blocks);
  Random random(MixKey(seed, kBootstrapPurpose));
  std::vector<double> medians;
  for (int resample = 0; resample < kResamples; ++resample) {
    std::vector<uint32_t> weights(blocks, 0);
    for (size_t draw = 0; draw < blocks; ++draw) ++weights[random.Below(static_cast<uint32_t>(blocks))];
    medians.push_back(median.Of(weights));
  }
  std::sort(medians.begin(), medians.end());
  return Interval{medians[kResamples / 40 - 1], medians[kResamples - kResamples / 40 - 1]};
}

TimeRatio RatioOfTurns(std::span<const float> a, std::span<const float> b, uint64_t seed) {
  QAT_CHECK(!a.empty() && a.size() == b.size());
  const std::vector<float> ratios = RatiosOfPairs(a, b);
  return {double{MedianOf(ratios)}, MedianInterval(ratios, seed)};
}

std::optional<double> NoiseOfTurns(std::span<const float> turns, uint64_t seed) {
  std::vector<float> ratios;
  for (size_t i = 0; i + 1 < turns.size(); i += 2) ratios.push_back(At(turns, i) / At(turns, i + 1));
  const std::optional<Interval> interval = MedianInterval(ratios, seed);
  if (!interval) return std::nullopt;
  return std::max(std::abs(interval->low - 1), std::abs(interval->high - 1));
}

}  // namespace qat
