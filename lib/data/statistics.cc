#include "data/statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "base/check.h"
#include "base/packed.h"
#include "data/sample.h"

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

constexpr int64_t kBatch = 512;

// use(values) of one input of a few examples.
template <class Use>
Status ForEachPart(const Dataset& dataset, size_t input, const Use& use) {
  const std::vector<int64_t> sizes = dataset.InputSizes();
  Bytes copy;
  return ForEachBatch(dataset, kBatch, [&](int64_t, int64_t, std::span<const uint8_t> examples) -> Status {
    use(PartOf(examples, sizes, input, copy));
    return {};
  });
}

// use(channel, value) of every real number; so many channels one after the other.
template <class Use>
Status ForEachValue(const Dataset& dataset, size_t input, size_t channels, const Use& use) {
  return ForEachPart(dataset, input, [&](std::span<const uint8_t> examples) {
    for (size_t i = 0; i < examples.size() / sizeof(float); ++i) {
      float value;
      std::memcpy(&value, &examples[i * sizeof(float)], sizeof(float));
      use(i % channels, static_cast<double>(value));
    }
  });
}

Expected<ChannelStatistics> MeasureReals(const Dataset& dataset, size_t input, size_t channels) {
  const auto total = static_cast<double>(dataset.size() * dataset.inputs[input].ValueCount()) /
                     static_cast<double>(channels);
  constexpr double kMost = std::numeric_limits<double>::max();
  ChannelStatistics statistics = {std::vector<double>(channels), std::vector<double>(channels),
                                  std::vector<double>(channels, kMost),
                                  std::vector<double>(channels, -kMost)};
  QAT_RETURN_IF_ERROR(ForEachValue(dataset, input, channels, [&](size_t c, double value) {
    statistics.mean[c] += value / total;
    statistics.low[c] = std::min(statistics.low[c], value);
    statistics.high[c] = std::max(statistics.high[c], value);
  }));
  QAT_RETURN_IF_ERROR(ForEachValue(dataset, input, channels, [&](size_t c, double value) {
    const double distance = value - statistics.mean[c];
    statistics.std[c] += distance * distance / total;
  }));
  for (size_t c = 0; c < channels; ++c) {
    // The sum of equal values may miss their mean by a rounding.
    const bool constant = statistics.low[c] == statistics.high[c];
    if (constant) statistics.mean[c] = statistics.low[c];
    statistics.std[c] = constant ? 0 : std::sqrt(statistics.std[c]);
  }
  return statistics;
}

}  // namespace

Expected<ChannelStatistics> MeasureChannels(const Dataset& dataset, size_t input) {
  const ExampleInput& own_input = dataset.inputs.at(input);
  QAT_CHECK(dataset.size() > 0 && own_input.channels > 0);
  if (own_input.values == ValueType::kReal)
    return MeasureReals(dataset, input, static_cast<size_t>(own_input.channels));
  const auto channels = static_cast<size_t>(own_input.channels);
  std::vector<Histogram> counts(channels, Histogram{});
  QAT_RETURN_IF_ERROR(ForEachPart(dataset, input, [&](std::span<const uint8_t> values) {
    for (size_t i = 0; i < values.size(); i += channels) {
      for (size_t c = 0; c < channels; ++c) ++counts[c][values[i + c]];
    }
  }));
  const int64_t total = dataset.size() * own_input.height * own_input.width;
  ChannelStatistics statistics;
  for (const Histogram& own : counts) {
    statistics.mean.push_back(MeanOf(own, total));
    statistics.std.push_back(StdOf(own, total, statistics.mean.back()));
    const auto seen = [](int64_t times) { return times > 0; };
    statistics.low.push_back(static_cast<double>(std::find_if(own.begin(), own.end(), seen) - own.begin()));
    statistics.high.push_back(
        static_cast<double>(255 - (std::find_if(own.rbegin(), own.rend(), seen) - own.rbegin())));
  }
  return statistics;
}

Expected<ChannelStatistics> MeasureValues(const Dataset& dataset, size_t input) {
  QAT_CHECK(dataset.size() > 0 && dataset.inputs.at(input).values == ValueType::kReal);
  return MeasureReals(dataset, input, static_cast<size_t>(dataset.inputs[input].ValueCount()));
}

Expected<ChannelSample> SampleChannels(const Dataset& dataset, size_t input) {
  QAT_CHECK(dataset.size() > 0 && dataset.inputs.at(input).values == ValueType::kReal);
  ChannelSample sample(static_cast<size_t>(dataset.inputs[input].channels));
  std::vector<float> values(static_cast<size_t>(dataset.inputs[input].ValueCount()));
  QAT_RETURN_IF_ERROR(ForSomeExamples(dataset, input, [&](std::span<const uint8_t> example) {
    std::memcpy(values.data(), example.data(), values.size() * sizeof(float));
    sample.Observe(values);
  }));
  return sample;
}

PooledStatistics Pool(std::span<const double> means, std::span<const double> stds) {
  const auto count = static_cast<double>(means.size());
  double mean = 0, variance = 0;
  for (const double own : means) mean += own / count;
  for (size_t i = 0; i < means.size(); ++i) {
    const double apart = means[i] - mean;
    variance += (stds[i] * stds[i] + apart * apart) / count;
  }
  return {mean, std::sqrt(variance)};
}

TargetStatistics MeasureTargets(const OutputLabels& dataset, std::span<const int32_t> examples,
                                size_t channels) {
  QAT_CHECK(dataset.targets > 0 && !examples.empty());
  const auto targets = static_cast<size_t>(dataset.targets);
  if (channels == 0) channels = targets;
  QAT_CHECK(targets % channels == 0);
  TargetStatistics statistics = {std::vector<double>(channels), std::vector<double>(channels)};
  for (size_t c = 0; c < channels; ++c) {
    const auto for_each = [&](const auto& use) {
      for (const int32_t example : examples) {
        const std::span<const float> numbers = dataset.NumbersOf(example);
        for (size_t i = c; i < targets; i += channels) {
          if (!std::isnan(numbers[i])) use(double{numbers[i]});
        }
      }
    };
    // From the first one on: what is the same everywhere has exactly this mean, and no deviation by rounding.
    std::optional<double> first;
    double sum = 0, squares = 0, count = 0;
    for_each([&](double value) {
      if (!first) first = value;
      sum += value - *first;
      ++count;
    });
    const double above = count == 0 ? 0 : sum / count;
    for_each([&](double value) {
      const double distance = value - *first - above;
      squares += distance * distance;
    });
    const double deviation = count == 0 ? 0 : std::sqrt(squares / count);
    statistics.mean[c] = first.value_or(0) + above;
    statistics.std[c] = deviation >= std::numeric_limits<float>::min() ? deviation : 1;
  }
  return statistics;
}

}  // namespace qat
