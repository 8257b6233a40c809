#include "data/channel_sample.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qat {
namespace {

constexpr size_t kMostOfChannel = 4096, kLeastOfChannel = 64, kMostOfAll = size_t{1} << 22;

template <class T>
double DeviationOf(const std::vector<T>& values) {
  if (values.empty()) return 0;
  double mean = 0, squares = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

}  // namespace

ChannelSample::ChannelSample(size_t channels)
    : most_(channels == 0 ? 0 : std::clamp(kMostOfAll / channels, kLeastOfChannel, kMostOfChannel)),
      kept_(channels) {}

void ChannelSample::Observe(std::span<const float> values) {
  if (kept_.empty()) return;
  for (size_t row = 0; row + kept_.size() <= values.size(); row += kept_.size()) {
    if (seen_++ % every_ != 0) continue;
    if (kept_[0].size() == most_) {
      Thin();
      if ((seen_ - 1) % every_ != 0) continue;
    }
    for (size_t c = 0; c < kept_.size(); ++c) kept_[c].push_back(values[row + c]);
  }
}

double ChannelSample::Deviation(size_t channel) const { return DeviationOf(kept_[channel]); }

// Every other value goes.
void ChannelSample::Thin() {
  every_ *= 2;
  for (std::vector<float>& values : kept_) {
    for (size_t i = 0; 2 * i < values.size(); ++i) values[i] = values[2 * i];
    values.resize((values.size() + 1) / 2);
  }
}

double StepsOfMost(std::span<const float> values, double step, double zero) {
  constexpr double kTail = 0.05;        // of the values, left out at each end
  constexpr double kNoRounding = 1e-3;  // steps: beyond what float32 says of a value on the grid
  std::vector<double> middle(values.begin(), values.end());
  std::sort(middle.begin(), middle.end());
  const auto tail = static_cast<std::ptrdiff_t>(kTail * static_cast<double>(middle.size()));
  middle.erase(middle.end() - tail, middle.end());
  middle.erase(middle.begin(), middle.begin() + tail);
  std::vector<double> errors;
  for (const double value : middle) {
    const double steps = (value - zero) / step;
    errors.push_back((steps - std::nearbyint(steps)) * step);
  }
  const double rounding = middle.empty() ? 0 : DeviationOf(errors);
  if (rounding <= kNoRounding * step) return std::numeric_limits<double>::infinity();
  return DeviationOf(middle) / rounding;
}

}  // namespace qat
