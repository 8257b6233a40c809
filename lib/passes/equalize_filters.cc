#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/join_some.h"
#include "base/slices.h"
#include "base/strings.h"
#include "ir/constants.h"
#include "passes/passes.h"

namespace qat {
namespace {

constexpr int kMostRounds = 30;
constexpr float kSettled = 1e-3f;  // of a factor: nothing changes any more
constexpr float kClip = 6;         // of a relu6

/// A layer whose output channels can be scaled, and the one that reads them. Their filters by tensor.
struct Pair {
  const GraphNode* first;
  const GraphNode* second;
};

int32_t FilterOf(const GraphNode& node) { return node.InputAt(node.definition().filter_input); }
int32_t BiasOf(const GraphNode& node) { return node.InputAt(node.definition().bias_input); }

bool HasFilter(const GraphNode& node) {
  return node.type == OpType::kConv2D || node.type == OpType::kDepthwiseConv2D ||
         node.type == OpType::kFullyConnected;
}

/// Moves values, takes their means or their largest: what comes in times a positive factor comes out times
/// it, the channel of a value is its place along the last axis before and after (a flattened map: modulo the
/// channels).
bool PassesChannelsOn(const Graph& graph, const GraphNode& node) {
  switch (node.type) {
    case OpType::kMaxPool2D:
    case OpType::kAveragePool2D:
    case OpType::kRelu: {
      const Activation activation = FusedActivation(node.attributes);
      return activation == Activation::kNone || activation == Activation::kRelu;
    }
    case OpType::kReshape: {
      const Shape& from = graph.tensor(node.inputs[0]).shape;
      const Shape& to = graph.tensor(node.output()).shape;
      return !from.empty() && !to.empty() && to.back() % from.back() == 0;
    }
    case OpType::kMean:
      return !graph.tensor(node.output()).shape.empty() &&
             graph.tensor(node.output()).shape.back() == graph.tensor(node.inputs[0]).shape.back();
    default:
      return false;
  }
}

class Equalizer {
 public:
  Equalizer(Graph& graph, const ChannelReach* reach) : graph_(graph), readers_(graph.tensors.size()) {
    if (reach != nullptr) reach_ = *reach;
    for (const GraphNode& node : graph.nodes) {
      for (const int32_t input : node.inputs) {
        if (input >= 0) readers_[static_cast<size_t>(input)].push_back(&node);
      }
    }
    for (const int32_t output : graph.outputs) is_output_[output] = true;
  }

  std::vector<Pair> Pairs() const {
    std::vector<Pair> pairs;
    for (const GraphNode& node : graph_.nodes) {
      if (const GraphNode* second = SecondOf(node)) pairs.push_back({&node, second});
    }
    return pairs;
  }

  std::vector<std::string> Run(const std::set<std::string>* only) {
    std::vector<Pair> pairs = Pairs();
    std::erase_if(pairs,
                  [&](const Pair& pair) { return only != nullptr && !only->contains(pair.first->name); });
    for (int round = 0; round < kMostRounds; ++round) {
      float most = 0;
      for (const Pair& pair : pairs) most = std::max(most, Equalize(pair));
      if (most < kSettled) break;
    }
    std::vector<std::string> names;
    for (const Pair& pair : pairs)
      names.push_back("'" + pair.first->name + "' and '" + pair.second->name + "'");
    return names;
  }

 private:
  bool ReadOnce(int32_t tensor) const {
    return readers_[static_cast<size_t>(tensor)].size() == 1 && !is_output_.contains(tensor);
  }

  bool OwnsParameters(const GraphNode& node) const {
    const int32_t filter = FilterOf(node);
    const int32_t bias = BiasOf(node);
    const auto own = [&](int32_t tensor) {
      return graph_.tensor(tensor).is_constant() && graph_.tensor(tensor).type == DType::kFloat32 &&
             ReadOnce(tensor);
    };
    return HasFilter(node) && filter >= 0 && own(filter) && (bias < 0 || own(bias));
  }

  /// The layer that alone reads what this one computes, by way of nodes that pass channels on; null: there is
  /// none.
  const GraphNode* SecondOf(const GraphNode& first) const {
    if (!OwnsParameters(first)) return nullptr;
    const Activation activation = FusedActivation(first.attributes);
    const bool in_reach = activation == Activation::kRelu6 && reach_.contains(first.name);
    if (activation != Activation::kNone && activation != Activation::kRelu && !in_reach) return nullptr;
    const int32_t channels = graph_.tensor(first.output()).shape.back();
    int32_t tensor = first.output();
    while (ReadOnce(tensor)) {
      const GraphNode& reader = *readers_[static_cast<size_t>(tensor)][0];
      if (reader.InputAt(reader.definition().data_input) != tensor) return nullptr;
      if (HasFilter(reader))
        return OwnsParameters(reader) && ReadsChannels(reader, tensor, channels) ? &reader : nullptr;
      if (!PassesChannelsOn(graph_, reader)) return nullptr;
      tensor = reader.output();
    }
    return nullptr;
  }

  bool ReadsChannels(const GraphNode& reader, int32_t tensor, int32_t channels) const {
    const Shape& filter = graph_.tensor(FilterOf(reader)).shape;
    if (reader.type == OpType::kDepthwiseConv2D)
      return graph_.tensor(tensor).shape.back() == channels && filter.back() % channels == 0;
    return filter.back() % channels == 0;
  }

  /// Which input channel a value of the second filter multiplies.
  static size_t InputChannel(const GraphNode& node, const Shape& filter, size_t i, size_t channels) {
    const auto last = static_cast<size_t>(filter.back());
    if (node.type == OpType::kDepthwiseConv2D) return i % last / (last / channels);
    return i % last % channels;
  }

  /// Returns how far the largest factor was from 1.
  float Equalize(const Pair& pair) {
    GraphTensor& first = graph_.tensor(FilterOf(*pair.first));
    GraphTensor& second = graph_.tensor(FilterOf(*pair.second));
    std::vector<float> from = RealValues(first);
    std::vector<float> to = RealValues(second);
    const auto axis = static_cast<size_t>(pair.first->definition().filter_channel_axis);
    const size_t inner = InnerSize(first.shape, axis);
    const auto channels = static_cast<size_t>(first.shape[axis]);
    std::vector<float> writes(channels), reads(channels);
    for (size_t i = 0; i < from.size(); ++i) Widen(writes[i / inner % channels], from[i]);
    for (size_t i = 0; i < to.size(); ++i)
      Widen(reads[InputChannel(*pair.second, second.shape, i, channels)], to[i]);
    std::vector<float> factors(channels, 1.0f);
    float most = 0;
    for (size_t c = 0; c < channels; ++c) {
      // A channel that is never written or read has nothing to be equalized with.
      if (!(writes[c] > 0 && reads[c] > 0)) continue;
      const float factor = WithinClip(*pair.first, c, std::sqrt(reads[c] / writes[c]));
      if (!std::isnormal(factor)) continue;
      factors[c] = factor;
      most = std::max(most, std::abs(factor - 1));
    }
    for (size_t i = 0; i < from.size(); ++i) from[i] *= factors[i / inner % channels];
    for (size_t i = 0; i < to.size(); ++i)
      to[i] /= factors[InputChannel(*pair.second, second.shape, i, channels)];
    SetValues(first, DType::kFloat32, from);
    SetValues(second, DType::kFloat32, to);
    if (BiasOf(*pair.first) >= 0) {
      GraphTensor& bias = graph_.tensor(BiasOf(*pair.first));
      std::vector<float> values = RealValues(bias);
      for (size_t c = 0; c < values.size(); ++c) values[c] *= factors[c];
      SetValues(bias, DType::kFloat32, values);
    }
    return most;
  }

  /// The factor, or less: what the channel reached on data must be clipped afterwards where it was before.
  /// Follows the channel.
  float WithinClip(const GraphNode& node, size_t channel, float factor) {
    if (FusedActivation(node.attributes) != Activation::kRelu6) return factor;
    float& reached = reach_.at(node.name).at(channel);
    // One that never showed more than 0 may do so elsewhere, nobody knows how much.
    if (!(reached > 0 && reached < kClip)) return 1;
    factor = std::min(factor, kClip / reached);
    reached *= factor;
    return factor;
  }

  static void Widen(float& reach, float value) { reach = std::max(reach, std::abs(value)); }

  Graph& graph_;
  std::vector<std::vector<const GraphNode*>> readers_;
  std::map<int32_t, bool> is_output_;
  ChannelReach reach_;  // as it is by now
};

}  // namespace

std::vector<std::string> EqualizeFilters(Graph& graph, const std::set<std::string>* only,
                                         const ChannelReach* reach) {
  return Equalizer(graph, reach).Run(only);
}

std::vector<int32_t> ClippedLayers(const Graph& graph) {
  std::vector<int32_t> layers;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (HasFilter(graph.nodes[i]) && FusedActivation(graph.nodes[i].attributes) == Activation::kRelu6)
      layers.push_back(static_cast<int32_t>(i));
  }
  return layers;
}

std::vector<EqualizablePair> EqualizablePairs(const Graph& graph, const ChannelReach* reach) {
  Graph copy = graph;
  std::vector<EqualizablePair> names;
  for (const Pair& pair : Equalizer(copy, reach).Pairs())
    names.push_back({pair.first->name, pair.second->name});
  return names;
}

Status EqualizeNamed(const std::vector<std::string>& names, Graph& graph, const ChannelReach* reach) {
  if (names.empty()) return {};
  if (reach == nullptr) {
    for (const int32_t layer : ClippedLayers(graph)) {
      const std::string& name = graph.nodes[static_cast<size_t>(layer)].name;
      if (std::find(names.begin(), names.end(), name) != names.end())
        return InvalidArgument(StrCat(
            "'", name,
            "' has a relu6, and only data say which of its channels reach 6; expected `calibrate` DATA too"));
    }
  }
  std::vector<std::string> known;
  for (const EqualizablePair& pair : EqualizablePairs(graph, reach)) known.push_back(pair.first);
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    if (known.empty())
      return InvalidArgument(
          StrCat("'", name, "', but no two layers of the network follow each other in a way that allows it"));
    return InvalidArgument(
        StrCat(UnknownName("layer to equalize", name, known), ", expected of: ", JoinSome(known, 12)));
  }
  const std::set<std::string> only(names.begin(), names.end());
  EqualizeFilters(graph, &only, reach);
  return {};
}

}  // namespace qat
