#include "checkpoint/make_trainable.h"

#include <algorithm>

#include "base/strings.h"
#include "ir/constants.h"

namespace qat {
namespace {

using Role = ParameterSpec::Role;

// How many inputs of nodes and outputs of the graph each tensor is.
std::vector<int32_t> CountReaders(const Graph& graph) {
  std::vector<int32_t> readers(graph.tensors.size());
  for (const GraphNode& node : graph.nodes) {
    for (const int32_t input : node.inputs) ++readers[static_cast<size_t>(input)];
  }
  for (const int32_t output : graph.outputs) ++readers[static_cast<size_t>(output)];
  return readers;
}

// One value for each channel, the last axis: what a module of PReLU trains.
bool IsPerChannel(const Shape& shape) {
  return !shape.empty() && std::all_of(shape.begin(), shape.end() - 1, [](int32_t size) { return size == 1; });
}

// Filters are [O, …, I], depthwise ones [1, H, W, O].
TrainedTensor FilterOf(const OpDefinition& op, const Shape& shape) {
  const auto axis = static_cast<size_t>(op.filter_channel_axis);
  const int64_t values = FlatSize(shape);
  const int32_t inputs = axis == 0 ? shape.back() : 1;
  TrainedTensor trained;
  trained.fan_in = static_cast<int32_t>(std::max<int64_t>(values / shape.at(axis), 1));
  trained.fan_out = static_cast<int32_t>(std::max<int64_t>(values / (axis == 0 ? inputs : shape.at(axis)), 1));
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

}  // namespace

Expected<Checkpoint> MakeTrainable(const Graph& frozen) {
  QAT_RETURN_IF_ERROR(Verify(frozen));
  if (frozen.form != GraphForm::kFrozen) return InvalidArgument("the network is not frozen");
  for (const GraphTensor& tensor : frozen.tensors) {
    if (tensor.quantization)
      return InvalidArgument(StrCat("tensor '", tensor.name, "' is quantized, expected real numbers to train on"));
  }
  Checkpoint checkpoint;
  checkpoint.scheme = frozen.scheme;
  checkpoint.contract = frozen.contract;
  checkpoint.network = frozen;
  Graph& network = checkpoint.network;
  network.form = GraphForm::kTrainable;
  network.contract = {};
  const std::vector<int32_t> readers = CountReaders(frozen);
  for (const GraphNode& node : frozen.nodes) {
    for (size_t position = 0; position < node.inputs.size(); ++position) {
      const int32_t index = node.inputs[position];
      GraphTensor& tensor = network.tensor(index);
      if (!tensor.is_constant() || tensor.type != DType::kFloat32 || readers[static_cast<size_t>(index)] != 1) continue;
      auto trained = TrainedAt(node, position, tensor);
      if (!trained) continue;
      checkpoint.tensors[tensor.name] = {tensor.shape, RealValues(tensor)};
      tensor.data.clear();
      tensor.trained = std::move(trained);
    }
  }
  for (GraphTensor& tensor : network.tensors) {
    if (tensor.has_range) checkpoint.ranges[tensor.name].range = tensor.range;
    tensor.has_range = false;
    tensor.range = {};
    tensor.limits = {};
  }
  QAT_RETURN_IF_ERROR(Verify(network));
  return checkpoint;
}

}  // namespace qat
