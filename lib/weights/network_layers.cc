#include "weights/network_layers.h"

#include <algorithm>

#include "base/strings.h"

namespace qat {
namespace {

using Role = ParameterSpec::Role;

// Layers that give every value a place of its own, the same one for any order of the values.
bool KeepsOrder(const GraphNode& node) {
  switch (node.type) {
    case OpType::kDropout:
    case OpType::kQuantize:
    case OpType::kRelu:
    case OpType::kRelu6:
    case OpType::kReluN1To1:
    case OpType::kLeakyRelu:
    case OpType::kHardSwish:
    case OpType::kLogistic:
    case OpType::kTanh:
      return true;
    default:
      return false;
  }
}

// [1, H, W, C] or [1, T, C], whose values PyTorch has in another order.
bool IsMap(const Shape& shape) { return shape.size() == 4 || shape.size() == 3; }

const GraphNode* ProducerOf(const Graph& network, int32_t tensor) {
  const auto found = std::find_if(network.nodes.begin(), network.nodes.end(), [&](const GraphNode& node) {
    return std::find(node.outputs.begin(), node.outputs.end(), tensor) != node.outputs.end();
  });
  return found == network.nodes.end() ? nullptr : &*found;
}

int32_t DataOf(const GraphNode& node) {
  return node.inputs[static_cast<size_t>(node.definition().data_input)];
}

// The map that a fully connected layer reads flattened; empty where there is none, or only one order of its
// values.
Shape FlattenedMap(const Graph& network, const GraphNode& node) {
  int32_t at = DataOf(node);
  while (!IsMap(network.tensor(at).shape)) {
    const GraphNode* before = ProducerOf(network, at);
    if (before == nullptr) break;
    if (before->type != OpType::kReshape && !KeepsOrder(*before)) return {};
    at = DataOf(*before);
  }
  Shape map = network.tensor(at).shape;
  if (map.size() == 3) map.insert(map.begin() + 2, 1);
  if (map.size() != 4 || map[1] * map[2] == 1 || map[3] == 1) return {};
  return {map.begin() + 1, map.end()};
}

// "conv/group3" -> "conv", where a spec's `groups` made that layer.
std::string WholeOf(const GraphNode& node) {
  constexpr std::string_view kGroup = "/group";
  const size_t at = node.name.rfind(kGroup);
  return at == std::string::npos ? std::string() : node.name.substr(0, at);
}

NetworkLayer Describe(const Graph& network, const GraphNode& node) {
  NetworkLayer found;
  found.name = node.name;
  found.type = node.type;
  found.batch_norm = node.batch_norm.has_value();
  if (node.batch_norm) found.epsilon = node.batch_norm->epsilon;
  for (const int32_t index : TrainedTensorsOf(network, node)) {
    const GraphTensor& tensor = network.tensor(index);
    if (tensor.trained->role == Role::kFilter) {
      found.filter = tensor.shape;
      found.is_norm_only = tensor.trained->initializer.kind == Initializer::Kind::kOnes && found.batch_norm;
    }
    if (tensor.trained->role == Role::kSlope) found.slope = tensor.shape;
    if (tensor.trained->role == Role::kBias) found.has_bias = true;
  }
  found.channels = network.tensor(node.outputs[0]).shape.back();
  if (node.type == OpType::kFullyConnected) found.flattened = FlattenedMap(network, node);
  return found;
}

}  // namespace

std::vector<std::string> NetworkLayer::TensorNames(std::string_view suffix) const {
  if (groups == 1) return {StrCat(name, "/", suffix)};
  std::vector<std::string> names;
  for (int32_t i = 0; i < groups; ++i) names.push_back(StrCat(name, "/group", i, "/", suffix));
  return names;
}

std::vector<NetworkLayer> LayersWithParameters(const Graph& network) {
  std::vector<NetworkLayer> layers;
  for (const GraphNode& node : network.nodes) {
    if (TrainedTensorsOf(network, node).empty()) continue;
    NetworkLayer found = Describe(network, node);
    const std::string whole = WholeOf(node);
    if (!whole.empty() && !layers.empty() && layers.back().name == whole) {
      ++layers.back().groups;
      layers.back().filter[0] += found.filter[0];
      layers.back().channels += found.channels;
      continue;
    }
    if (!whole.empty()) found.name = whole;
    layers.push_back(std::move(found));
  }
  return layers;
}

}  // namespace qat
