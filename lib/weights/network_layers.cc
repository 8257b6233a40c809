#include "weights/network_layers.h"

#include <algorithm>

#include "base/strings.h"

namespace qat {
namespace {

using Role = ParameterSpec::Role;

// Layers that give every value a place of its own, the same one for any order of the values.
bool KeepsOrder(const LayerSpec& layer) {
  switch (layer.type) {
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

// The map that a fully connected layer reads flattened; empty where there is none, or only one order of its values.
Shape FlattenedMap(const NetworkSpec& spec, const LayerSpec& layer) {
  int32_t at = layer.inputs[0];
  while (at != kNetworkInput && !IsMap(spec.ShapeOf(at))) {
    const LayerSpec& before = spec.layers[static_cast<size_t>(at)];
    if (before.type != OpType::kReshape && !KeepsOrder(before)) return {};
    at = before.inputs[0];
  }
  Shape map = spec.ShapeOf(at);
  if (map.size() == 3) map.insert(map.begin() + 2, 1);
  if (map.size() != 4 || map[1] * map[2] == 1 || map[3] == 1) return {};
  return {map.begin() + 1, map.end()};
}

// "conv/group3" -> "conv", where a spec's `groups` made that layer.
std::string WholeOf(const LayerSpec& layer) {
  constexpr std::string_view kGroup = "/group";
  const size_t at = layer.name.rfind(kGroup);
  return at == std::string::npos ? std::string() : layer.name.substr(0, at);
}

NetworkLayer Describe(const NetworkSpec& spec, const LayerSpec& layer) {
  NetworkLayer found;
  found.name = layer.name;
  found.type = layer.type;
  found.batch_norm = layer.batch_norm.has_value();
  if (layer.batch_norm) found.epsilon = layer.batch_norm->epsilon;
  found.is_norm_only = layer.initializer.kind == Initializer::Kind::kOnes && found.batch_norm;
  for (const ParameterSpec& parameter : layer.parameters) {
    if (parameter.role == Role::kFilter) found.filter = parameter.shape;
    if (parameter.role == Role::kSlope) found.slope = parameter.shape;
    if (parameter.role == Role::kBias) found.has_bias = !found.batch_norm;
  }
  found.channels = layer.output_shape.back();
  if (layer.type == OpType::kFullyConnected) found.flattened = FlattenedMap(spec, layer);
  return found;
}

}  // namespace

std::vector<std::string> NetworkLayer::TensorNames(std::string_view suffix) const {
  if (groups == 1) return {StrCat(name, "/", suffix)};
  std::vector<std::string> names;
  for (int32_t i = 0; i < groups; ++i) names.push_back(StrCat(name, "/group", i, "/", suffix));
  return names;
}

std::vector<NetworkLayer> LayersWithParameters(const NetworkSpec& spec) {
  std::vector<NetworkLayer> layers;
  for (const LayerSpec& layer : spec.layers) {
    if (layer.parameters.empty()) continue;
    NetworkLayer found = Describe(spec, layer);
    const std::string whole = WholeOf(layer);
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
