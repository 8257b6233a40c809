#include "spec/build_graph.h"

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "contract/provenance.h"
#include "ir/range_groups.h"
#include "ir/reorder.h"
#include "ops/input_order.h"

namespace qat {
namespace {

using Role = ParameterSpec::Role;

// Filters start as the spec says, slopes as the operator's key says, everything else with what changes
// nothing.
Initializer StartOf(const LayerSpec& layer, Role role) {
  switch (role) {
    case Role::kFilter:
      return layer.initializer;
    case Role::kGamma:
    case Role::kMovingVariance:
      return Initializer::Constant(1);
    case Role::kSlope: {
      const auto* slope = std::get_if<PReluAttributes>(&layer.attributes);
      return Initializer::Constant(slope == nullptr ? 0 : slope->slope);
    }
    case Role::kBias:
    case Role::kBeta:
    case Role::kMovingMean:
      break;
  }
  return Initializer::Constant(0);
}

class Builder {
 public:
  explicit Builder(const NetworkSpec& spec) : spec_(spec) {}

  Expected<Graph> Build() {
    graph_.name = spec_.name;
    graph_.form = GraphForm::kTrainable;
    graph_.scheme = "float32";
    graph_.provenance[kSourceTextKey] = spec_.text;
    if (spec_.classes != 0) graph_.provenance[kSourceClassesKey] = std::to_string(spec_.classes);
    for (const InputSpec& each : spec_.inputs) {
      GraphTensor input;
      input.name = each.name;
      input.shape = each.shape;
      graph_.inputs.push_back(graph_.AddTensor(std::move(input)));
    }
    for (const LayerSpec& layer : spec_.layers) {
      QAT_ASSIGN_OR_RETURN(const int32_t output, AddLayer(layer));
      outputs_.push_back(output);
    }
    for (const int32_t output : spec_.outputs) graph_.outputs.push_back(OutputOf(output));
    if (graph_.outputs.empty()) graph_.outputs = {outputs_.empty() ? graph_.inputs[0] : outputs_.back()};
    Separate();
    QAT_RETURN_IF_ERROR(Verify(graph_));
    return std::move(graph_);
  }

 private:
  /// New tensors come in front of the outputs of the node that reads them, as if the spec had had them.
  void Separate() {
    const size_t before = graph_.tensors.size();
    SeparateFixedRanges(graph_);
    std::map<int32_t, std::vector<int32_t>> in_front;  // of each tensor
    for (const GraphNode& node : graph_.nodes) {
      for (const int32_t input : node.inputs) {
        std::vector<int32_t>& list = in_front[node.outputs[0]];
        const bool is_new = static_cast<size_t>(input) >= before;
        if (is_new && std::find(list.begin(), list.end(), input) == list.end()) list.push_back(input);
      }
    }
    std::vector<int32_t> order;
    for (size_t i = 0; i < before; ++i) {
      const std::vector<int32_t>& list = in_front[static_cast<int32_t>(i)];
      order.insert(order.end(), list.begin(), list.end());
      order.push_back(static_cast<int32_t>(i));
    }
    ReorderTensors(graph_, order);
  }

  int32_t OutputOf(int32_t layer) const {
    return IsNetworkInput(layer) ? graph_.inputs[InputIndex(layer)] : outputs_[static_cast<size_t>(layer)];
  }

  Expected<int32_t> AddLayer(const LayerSpec& layer) {
    const auto* split = std::get_if<SplitAttributes>(&layer.attributes);
    if (split != nullptr && split->part > 0) return OutputOfSplit(layer, *split);
    // "cut:0" is part 0 of "cut".
    const std::string name = split == nullptr ? layer.name : SplitText(layer.name, ':')[0];
    std::vector<int32_t> data;
    for (const int32_t input : layer.inputs) data.push_back(OutputOf(input));
    std::optional<FusedBatchNorm> batch_norm;
    const auto parameters = AddParameters(layer, batch_norm);
    std::vector<int32_t> indices;
    if (layer.definition().index_operands != nullptr) {
      const Shape& shape = spec_.ShapeOf(layer.inputs[0]);
      for (const IndexOperand& operand : layer.definition().index_operands(layer.attributes, shape)) {
        indices.push_back(
            graph_.AddConstant(StrCat(name, "/", operand.suffix), operand.shape, operand.values));
      }
    }
    QAT_ASSIGN_OR_RETURN(const int32_t output,
                         graph_.AddNode(layer.type, name, layer.attributes,
                                        OrderInputs(layer.definition(), data, parameters, indices)));
    graph_.nodes.back().batch_norm = batch_norm;
    graph_.nodes.back().fused = layer.fused;
    return output;
  }

  /// A spec has one layer for each part, one after the other; of these the first has made the node.
  int32_t OutputOfSplit(const LayerSpec& layer, const SplitAttributes& split) const {
    const GraphNode& node = graph_.nodes.back();
    QAT_CHECK(node.type == layer.type && std::ssize(node.outputs) == split.splits);
    return node.outputs[static_cast<size_t>(split.part)];
  }

  /// Those that the node reads; a batch normalization's are beside it.
  std::vector<std::pair<Role, int32_t>> AddParameters(const LayerSpec& layer,
                                                      std::optional<FusedBatchNorm>& batch_norm) {
    std::vector<std::pair<Role, int32_t>> read;
    if (layer.batch_norm) batch_norm = FusedBatchNorm{layer.batch_norm->epsilon, layer.batch_norm->momentum};
    for (const ParameterSpec& parameter : TrainedParameters(layer)) {
      const int32_t index = graph_.AddTrained(
          StrCat(layer.name, "/", parameter.suffix), parameter.shape,
          {parameter.role, StartOf(layer, parameter.role), parameter.fan_in, parameter.fan_out});
      switch (parameter.role) {
        case Role::kGamma:
          batch_norm->gamma = index;
          break;
        case Role::kBeta:
          batch_norm->beta = index;
          break;
        case Role::kMovingMean:
          batch_norm->moving_mean = index;
          break;
        case Role::kMovingVariance:
          batch_norm->moving_variance = index;
          break;
        default:
          read.emplace_back(parameter.role, index);
      }
    }
    return read;
  }

  const NetworkSpec& spec_;
  Graph graph_;
  std::vector<int32_t> outputs_;  // tensor of each layer
};

}  // namespace

Expected<Graph> BuildGraph(const NetworkSpec& spec) {
  auto graph = Builder(spec).Build();
  if (!graph.ok()) return Internal(StrCat("network '", spec.name, "': ", graph.error().message));
  return graph;
}

std::string SourceTextOf(const Graph& graph) {
  const auto found = graph.provenance.find(kSourceTextKey);
  return found == graph.provenance.end() ? "" : found->second;
}

bool FollowsClasses(const Graph& graph) { return graph.provenance.contains(kSourceClassesKey); }

}  // namespace qat
