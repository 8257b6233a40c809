#include "checkpoint/make_trainable.h"

#include <algorithm>

#include "base/slices.h"
#include "base/strings.h"
#include "ir/constants.h"
#include "ir/range_groups.h"
#include "quant/batch_norm.h"

namespace qat {
namespace {

using Role = ParameterSpec::Role;

// Of each tensor whether all who read it are nodes of one operator that take it as the same input, as the
// steps of a recurrent layer take their filter.
std::vector<bool> HasOneUse(const Graph& graph) {
  std::vector<const GraphNode*> reader(graph.tensors.size());
  std::vector<size_t> place(graph.tensors.size());
  std::vector<bool> one(graph.tensors.size(), true);
  for (const GraphNode& node : graph.nodes) {
    for (size_t position = 0; position < node.inputs.size(); ++position) {
      const auto input = static_cast<size_t>(node.inputs[position]);
      if (reader[input] != nullptr && (reader[input]->type != node.type || place[input] != position))
        one[input] = false;
      reader[input] = &node;
      place[input] = position;
    }
  }
  for (const int32_t output : graph.outputs) one[static_cast<size_t>(output)] = false;
  return one;
}

// One value for each channel, the last axis, or one for all: what a module of PReLU trains.
bool IsPerChannel(const Shape& shape) {
  return shape.empty() || std::all_of(shape.begin(), shape.end() - 1, [](int32_t size) { return size == 1; });
}

// Filters are [O, …, I], depthwise ones [1, H, W, O].
TrainedTensor FilterOf(const OpDefinition& op, const Shape& shape) {
  const auto axis = static_cast<size_t>(op.filter_channel_axis);
  const int64_t values = FlatSize(shape);
  const int32_t inputs = axis == 0 ? shape.back() : 1;
  TrainedTensor trained;
  trained.fan_in = static_cast<int32_t>(std::max<int64_t>(values / shape.at(axis), 1));
  trained.fan_out =
      static_cast<int32_t>(std::max<int64_t>(values / (axis == 0 ? inputs : shape.at(axis)), 1));
  return trained;
}

TrainedTensor Plain(Role role) {
  TrainedTensor trained;
  trained.role = role;
  trained.initializer = Initializer::Constant(role == Role::kSlope ? 0.25f : 0);
  return trained;
}

/// What the node's input at this position is to training; nothing: no parameter.
std::optional<TrainedTensor> TrainedAt(const GraphNode& node, size_t position, const GraphTensor& tensor) {
  const OpDefinition& op = node.definition();
  if (static_cast<int32_t>(position) == op.filter_input) return FilterOf(op, tensor.shape);
  if (static_cast<int32_t>(position) == op.bias_input) return Plain(Role::kBias);
  if (node.type == OpType::kPRelu && position == 1 && IsPerChannel(tensor.shape)) return Plain(Role::kSlope);
  return std::nullopt;
}

/// Null also where several nodes read it: their batch normalizations would be one.
GraphNode* NodeOfFilter(Graph& network, const std::string& filter) {
  GraphNode* found = nullptr;
  for (GraphNode& node : network.nodes) {
    const int32_t position = node.definition().filter_input;
    if (position < 0 || network.tensor(node.inputs[static_cast<size_t>(position)]).name != filter) continue;
    if (found != nullptr) return nullptr;
    found = &node;
  }
  return found;
}

/// Gives the batch normalization back to its node. Nothing where filter and bias are no longer what it made
/// of them.
void Unfold(const FoldedBatchNorm& norm, Checkpoint& checkpoint) {
  Graph& network = checkpoint.network;
  GraphNode* const node = NodeOfFilter(network, norm.filter_name);
  const auto filter = checkpoint.tensors.find(norm.filter_name);
  if (node == nullptr || filter == checkpoint.tensors.end()) return;
  const OpDefinition& op = node->definition();
  if (op.bias_input + 1 != std::ssize(node->inputs)) return;
  const auto bias = checkpoint.tensors.find(network.tensor(node->inputs.back()).name);
  const size_t inner = InnerSize(filter->second.shape, static_cast<size_t>(op.filter_channel_axis));
  const FoldedFilter folded =
      FoldBatchNorm(norm.filter, inner, {norm.gamma, norm.beta, norm.mean, norm.variance, norm.epsilon});
  if (bias == checkpoint.tensors.end() || folded.filter != filter->second.values ||
      folded.bias != bias->second.values)
    return;
  const Shape channels = bias->second.shape;
  filter->second.values = norm.filter;
  checkpoint.tensors.erase(bias);
  node->inputs.pop_back();
  FusedBatchNorm fused{norm.epsilon, norm.momentum};
  const auto add = [&](const char* suffix, Role role, float start, const std::vector<float>& values) {
    TrainedTensor trained = Plain(role);
    trained.initializer = Initializer::Constant(start);
    const std::string name = StrCat(node->name, "/", suffix);
    checkpoint.tensors[name] = {channels, values};
    return network.AddTrained(name, channels, trained);
  };
  fused.gamma = add("gamma", Role::kGamma, 1, norm.gamma);
  fused.beta = add("beta", Role::kBeta, 0, norm.beta);
  fused.moving_mean = add("moving_mean", Role::kMovingMean, 0, norm.mean);
  fused.moving_variance = add("moving_variance", Role::kMovingVariance, 1, norm.variance);
  node->batch_norm = fused;
}

// Data may still change what a byte means, so no range of an input is taken to hold a constant.
void SeparateRanges(Graph& network, const Contract& contract) {
  network.contract = contract;
  for (InputContract& input : network.contract.inputs) input.values = ValueType::kReal;
  SeparateFixedRanges(network);
  network.contract = {};
}

}  // namespace

Expected<Checkpoint> MakeTrainable(const Graph& frozen, std::span<const FoldedBatchNorm> batch_norms) {
  QAT_RETURN_IF_ERROR(Verify(frozen));
  if (frozen.form != GraphForm::kFrozen) return InvalidArgument("the network is not frozen");
  for (const GraphTensor& tensor : frozen.tensors) {
    if (tensor.quantization)
      return InvalidArgument(
          StrCat("tensor '", tensor.name, "' is quantized, expected real numbers to train on"));
  }
  Checkpoint checkpoint;
  checkpoint.scheme = frozen.scheme;
  checkpoint.contract = frozen.contract;
  checkpoint.network = frozen;
  Graph& network = checkpoint.network;
  network.form = GraphForm::kTrainable;
  network.contract = {};
  const std::vector<bool> one_use = HasOneUse(frozen);
  for (const GraphNode& node : frozen.nodes) {
    for (size_t position = 0; position < node.inputs.size(); ++position) {
      const int32_t index = node.inputs[position];
      GraphTensor& tensor = network.tensor(index);
      if (!tensor.is_constant() || tensor.type != DType::kFloat32 || !one_use[static_cast<size_t>(index)])
        continue;
      auto trained = TrainedAt(node, position, tensor);
      if (!trained) continue;
      checkpoint.tensors[tensor.name] = {tensor.shape, RealValues(tensor)};
      tensor.data.clear();
      tensor.trained = std::move(trained);
    }
  }
  for (const FoldedBatchNorm& norm : batch_norms) Unfold(norm, checkpoint);
  RemoveUnusedTensors(network);
  for (GraphTensor& tensor : network.tensors) {
    if (tensor.has_range) checkpoint.ranges[tensor.name].range = tensor.range;
    tensor.has_range = false;
    tensor.range = {};
    tensor.limits = {};
  }
  SeparateRanges(network, frozen.contract);
  QAT_RETURN_IF_ERROR(Verify(network));
  return checkpoint;
}

}  // namespace qat
