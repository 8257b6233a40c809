#include "weights/network_layers.h"

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "ir/output_source.h"

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
  // A layer of every step or pixel reads one axis.
  const Shape& filter = network.tensor(node.InputAt(node.definition().filter_input)).shape;
  const Shape values = {map.begin() + 1, map.end()};
  return FlatSize(values) == filter.back() ? values : Shape();
}

// "conv/group3" -> "conv", where a spec's `groups` made that layer.
std::string WholeOf(const GraphNode& node) {
  constexpr std::string_view kGroup = "/group";
  const size_t at = node.name.rfind(kGroup);
  return at == std::string::npos ? std::string() : node.name.substr(0, at);
}

const char* SuffixOf(Role role) {
  switch (role) {
    case Role::kFilter:
      return "filter";
    case Role::kBias:
      return "bias";
    case Role::kSlope:
      return "slope";
    case Role::kGamma:
      return "gamma";
    case Role::kBeta:
      return "beta";
    case Role::kMovingMean:
      return "moving_mean";
    case Role::kMovingVariance:
      return "moving_variance";
  }
  return "";
}

// An .onnx of PyTorch calls a filter as its module is called: "backbone.conv1.weight" of
// "/backbone/conv1/Conv".
std::string ModuleName(const GraphNode& node, const std::string& filter) {
  constexpr std::string_view kWeight = ".weight";
  if (!filter.ends_with(kWeight) || filter.size() == kWeight.size()) return node.name;
  return filter.substr(0, filter.size() - kWeight.size());
}

NetworkLayer Describe(const Graph& network, const GraphNode& node) {
  NetworkLayer found;
  found.name = node.name;
  found.type = node.type;
  found.batch_norm = node.batch_norm.has_value();
  if (node.batch_norm) found.epsilon = node.batch_norm->epsilon;
  for (const int32_t index : TrainedTensorsOf(network, node)) {
    const GraphTensor& tensor = network.tensor(index);
    found.tensors[SuffixOf(tensor.trained->role)].push_back(tensor.name);
    if (tensor.trained->role == Role::kFilter) {
      found.name = ModuleName(node, tensor.name);
      found.filter = tensor.shape;
      found.is_norm_only = tensor.trained->initializer.kind == Initializer::Kind::kOnes && found.batch_norm;
    }
    if (tensor.trained->role == Role::kSlope) found.slope = tensor.shape;
    if (tensor.trained->role == Role::kBias) found.has_bias = true;
  }
  found.channels = network.tensor(node.outputs[0]).shape.back();
  const int32_t data = node.inputs[static_cast<size_t>(node.definition().data_input)];
  found.inputs = network.tensor(data).shape.back();
  if (node.type == OpType::kFullyConnected) found.flattened = FlattenedMap(network, node);
  return found;
}

}  // namespace

std::vector<NetworkLayer> LayersWithParameters(const Graph& network) {
  std::vector<NetworkLayer> layers;
  std::set<std::string> known;
  for (const GraphNode& node : network.nodes) {
    if (TrainedTensorsOf(network, node).empty()) continue;
    NetworkLayer found = Describe(network, node);
    bool shared = false;
    for (const char* own : {"filter", "slope"}) {
      if (const auto names = found.tensors.find(own); names != found.tensors.end())
        shared = shared || !known.insert(names->second[0]).second;
    }
    if (shared) continue;
    const std::string whole = WholeOf(node);
    if (!whole.empty() && !layers.empty() && layers.back().name == whole) {
      ++layers.back().groups;
      layers.back().filter[0] += found.filter[0];
      layers.back().channels += found.channels;
      for (const auto& [suffix, names] : found.tensors) layers.back().tensors[suffix].push_back(names[0]);
      continue;
    }
    if (!whole.empty()) found.name = whole;
    layers.push_back(std::move(found));
  }
  return layers;
}

}  // namespace qat
