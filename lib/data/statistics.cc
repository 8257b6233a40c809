#include "data/statistics.h"

#include <array>
#include <cmath>

#include "base/check.h"

namespace qat {
namespace {

using Histogram = std::array<int64_t, 256>;

double MeanOf(const Histogram& counts, int64_t total) {
  int64_t sum = 0;
  for (int64_t byte = 0; byte < 256; ++byte) sum += byte * counts[static_cast<size_t>(byte)];
  return static_cast<double>(sum) / static_cast<double>(total);
}

double StdOf(const Histogram& counts, int64_t total, double mean) {
  double sum = 0;
  for (size_t byte = 0; byte < 256; ++byte) {
    const double distance = static_cast<double>(byte) - mean;
    sum += static_cast<double>(counts[byte]) * distance * distance;
  }
  return std::sqrt(sum / static_cast<double>(total));
}

}  // namespace

Expected<ChannelStatistics> MeasureChannels(const Dataset& dataset) {
  QAT_CHECK(dataset.size() > 0 && dataset.channels > 0);
  constexpr int64_t kBatch = 512;
  const auto channels = static_cast<size_t>(dataset.channels);
  std::vector<Histogram> counts(channels, Histogram{});
  const auto count = [&](int64_t, int64_t, std::span<const uint8_t> images) -> Status {
    for (size_t i = 0; i < images.size(); i += channels) {
      for (size_t c = 0; c < channels; ++c) ++counts[c][images[i + c]];
    }
    return {};
  };
  QAT_RETURN_IF_ERROR(ForEachBatch(dataset, kBatch, count));
  const int64_t total = dataset.size() * dataset.height * dataset.width;
  ChannelStatistics statistics;
  for (const Histogram& own : counts) {
    statistics.mean.push_back(MeanOf(own, total));
    statistics.std.push_back(StdOf(own, total, statistics.mean.back()));
  }
  return statistics;
}

TargetStatistics MeasureTargets(const Dataset& dataset, std::span<const int32_t> examples) {
  QAT_CHECK(dataset.targets > 0 && !examples.empty());
  const auto targets = static_cast<size_t>(dataset.targets);
  const auto count = static_cast<double>(examples.size());
  TargetStatistics statistics = {std::vector<double>(targets), std::vector<double>(targets)};
  for (const int32_t example : examples) {
    const std::span<const float> numbers = dataset.NumbersOf(example);
    for (size_t i = 0; i < targets; ++i) statistics.mean[i] += static_cast<double>(numbers[i]) / count;
  }
  for (const int32_t example : examples) {
    const std::span<const float> numbers = dataset.NumbersOf(example);
    for (size_t i = 0; i < targets; ++i) {
      const double distance = static_cast<double>(numbers[i]) - statistics.mean[i];
      statistics.std[i] += distance * distance / count;
    }
  }
  for (double& each : statistics.std) each = each > 0 ? std::sqrt(each) : 1;
  return statistics;
}

}  // namespace qat
