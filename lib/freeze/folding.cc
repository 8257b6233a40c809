#include "freeze/folding.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "base/random.h"
#include "base/strings.h"
#include "checkpoint/filter_ranges.h"

namespace qat {
namespace {

constexpr uint64_t kProbeSeed = 17;
constexpr double kMostByRounding =
    1e-6;  // filter' and bias' are rounded once each, by at most 2^-24 of themselves

std::vector<float> Constant(const Graph& graph, const std::string& name) {
  const auto found = std::find_if(graph.tensors.begin(), graph.tensors.end(),
                                  [&](const GraphTensor& tensor) { return tensor.name == name; });
  QAT_CHECK(found != graph.tensors.end() && found->type == DType::kFloat32);
  std::vector<float> values(found->data.size() / sizeof(float));
  std::memcpy(values.data(), found->data.data(), found->data.size());
  return values;
}

/// The sums of each channel's products, with and without their signs.
struct Sums {
  std::vector<double> signed_sum;
  std::vector<double> magnitude;
};

// `stride`: how far apart values lie that differ by one in the channel.
Sums Accumulate(const std::vector<float>& filter, const std::vector<double>& probe, size_t stride,
                size_t channels) {
  Sums sums{std::vector<double>(channels), std::vector<double>(channels)};
  for (size_t i = 0; i < filter.size(); ++i) {
    const size_t channel = i / stride % channels;
    sums.signed_sum[channel] += filter[i] * probe[i];
    sums.magnitude[channel] += std::abs(filter[i] * probe[i]);
  }
  return sums;
}

double Difference(const Checkpoint& checkpoint, const Graph& network, const GraphNode& node,
                  const Graph& graph) {
  const auto trained = [&](int32_t tensor) -> const std::vector<float>& {
    return checkpoint.tensors.at(network.tensor(tensor).name).values;
  };
  const FusedBatchNorm& norm = *node.batch_norm;
  const int32_t filter = node.inputs[static_cast<size_t>(node.definition().filter_input)];
  const Shape& shape = network.tensor(filter).shape;
  const auto axis = static_cast<size_t>(node.definition().filter_channel_axis);
  const auto channels = static_cast<size_t>(shape[axis]);
  const auto stride =
      static_cast<size_t>(FlatSize(Shape(shape.begin() + static_cast<ptrdiff_t>(axis) + 1, shape.end())));
  const std::vector<float> deployed =
      DeployedFilter(checkpoint, network.tensor(filter).name, node.definition());
  std::vector<double> probe(deployed.size());
  Random random(kProbeSeed);
  for (double& x : probe) x = random.Between(-1000, 1000) / 1000.0;
  const Sums sums = Accumulate(deployed, probe, stride, channels);
  const Sums frozen = Accumulate(Constant(graph, network.tensor(filter).name), probe, stride, channels);
  const std::vector<float> bias = Constant(graph, node.name + "/bias");
  double largest = 0, terms = 0;
  for (size_t c = 0; c < channels; ++c) {
    const double mean = trained(norm.moving_mean)[c], beta = trained(norm.beta)[c];
    const double deviation = std::sqrt(double{trained(norm.moving_variance)[c]} + norm.epsilon);
    const double gamma = trained(norm.gamma)[c];
    const double unfolded = gamma * (sums.signed_sum[c] - mean) / deviation + beta;
    largest = std::max(largest, std::abs(unfolded - (frozen.signed_sum[c] + bias[c])));
    terms =
        std::max(terms, std::abs(gamma / deviation) * (sums.magnitude[c] + std::abs(mean)) + std::abs(beta));
  }
  return terms == 0 ? largest : largest / terms;
}

}  // namespace

std::vector<FoldedLayer> CompareFolded(const Checkpoint& checkpoint, const Graph& network,
                                       const Graph& graph) {
  std::vector<FoldedLayer> layers;
  for (const GraphNode& node : network.nodes) {
    if (node.batch_norm) layers.push_back({node.name, Difference(checkpoint, network, node, graph)});
  }
  return layers;
}

Status CheckFolded(const std::vector<FoldedLayer>& layers) {
  for (const FoldedLayer& layer : layers) {
    if (layer.difference <= kMostByRounding) continue;
    return Internal(StrCat("layer '", layer.name, "': filter and batch norm folded into one differ by ",
                           layer.difference, " from what was trained, expected at most ", kMostByRounding));
  }
  return {};
}

}  // namespace qat
