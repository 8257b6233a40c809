#include "calibrate/coarse_columns.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "base/join_some.h"
#include "base/strings.h"
#include "ir/constants.h"

namespace qat {
namespace {

constexpr double kMostNoise = 0.05;  // of the deviation of the sums: 26 dB
constexpr double kWorse = 4;         // times as much as of standardized channels
constexpr double kShare = 0.1;       // of the noise: what a channel has that is named

/// The deviation of what rounding a filter adds to the sums, over their own. Each row of the filter is
/// [taps.., channels]; a weight is off by the step over sqrt(12) on average.
double NoiseOf(std::span<const float> filter, size_t rows, const std::vector<double>& deviations,
               const Precision& precision) {
  const size_t row_size = filter.size() / rows, channels = deviations.size();
  std::vector<double> largest(rows);
  for (size_t i = 0; i < filter.size(); ++i)
    largest[i / row_size] = std::max(largest[i / row_size], std::abs(double{filter[i]}));
  if (!precision.per_axis()) largest.assign(rows, *std::max_element(largest.begin(), largest.end()));
  double signal = 0, noise = 0;
  for (size_t i = 0; i < filter.size(); ++i) {
    const double step = largest[i / row_size] / LimitsOf(precision).quant_max;
    const double deviation = deviations[i % channels];
    signal += std::pow(filter[i] * deviation, 2);
    noise += std::pow(step * deviation, 2) / 12;
  }
  return signal > 0 ? std::sqrt(noise / signal) : 0;
}

/// The same filter for channels of deviation 1.
std::vector<float> ForStandardized(std::span<const float> filter, const std::vector<double>& deviations) {
  std::vector<float> scaled(filter.begin(), filter.end());
  for (size_t i = 0; i < scaled.size(); ++i)
    scaled[i] *= static_cast<float>(deviations[i % deviations.size()]);
  return scaled;
}

}  // namespace

std::string DescribeCoarseColumns(const Graph& graph, size_t input, const ChannelSample& sample,
                                  const Precision& filters) {
  std::vector<double> deviations;
  double squares = 0;
  for (size_t c = 0; c < sample.channels(); ++c) {
    deviations.push_back(sample.Deviation(c));
    squares += deviations.back() * deviations.back();
  }
  for (const GraphNode& node : graph.nodes) {
    const bool sums = node.type == OpType::kFullyConnected || node.type == OpType::kConv2D;
    if (!sums || node.inputs[0] != graph.inputs[input]) continue;
    const GraphTensor& tensor = graph.tensor(node.InputAt(node.definition().filter_input));
    if (!tensor.is_constant() || tensor.type != DType::kFloat32 ||
        tensor.shape.back() != std::ssize(deviations))
      continue;
    const std::vector<float> filter = RealValues(tensor);
    const auto rows = static_cast<size_t>(tensor.shape[0]);
    const double noise = NoiseOf(filter, rows, deviations, filters);
    const std::vector<double> ones(deviations.size(), 1);
    if (noise <= kMostNoise ||
        noise <= kWorse * NoiseOf(ForStandardized(filter, deviations), rows, ones, filters))
      continue;
    const std::vector<std::string>& features = graph.contract.inputs[input].features;
    std::vector<std::string> names;
    for (size_t c = 0; c < deviations.size(); ++c) {
      if (deviations[c] * deviations[c] > kShare * squares)
        names.push_back(c < features.size() ? StrCat("'", features[c], "'") : StrCat(c));
    }
    return StrCat(
        features.empty() ? "channel" : "column", names.size() == 1 ? " " : "s ", JoinSome(names, 8),
        " of the input ", names.size() == 1 ? "is" : "are",
        " so much larger than others that the weights of '", node.name, "' hardly have steps for ",
        names.size() == 1 ? "it" : "them", ": rounding them changes its sums by ", std::lround(100 * noise),
        " % of their deviation; let the network begin with (x - mean) / std per channel, or keep the "
        "layer in float (`keep_float` '",
        node.name, "')");
  }
  return "";
}

}  // namespace qat
