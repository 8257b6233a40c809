// Frozen graphs, checkpoints and weights.
#include <cstring>
#include <map>
#include <utility>

#include "base/strings.h"
#include "checkpoint/checkpoint.h"
#include "inspect/readers.h"
#include "ir/graph.h"
#include "weights/weights_file.h"

namespace qat {
namespace {

std::string NameOf(const OpDefinition& definition) {
  return std::string(definition.builtin_code < 0 ? definition.name : definition.tflite_name);
}

std::span<const uint8_t> BytesOf(const std::vector<float>& values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)};
}

InspectedTensor TensorOf(const GraphTensor& tensor) {
  InspectedTensor found;
  found.name = tensor.name;
  found.type = NameOf(tensor.type);
  found.shape = tensor.shape;
  found.constant = tensor.is_constant();
  found.bytes = FlatSize(tensor.shape) * static_cast<int64_t>(SizeOf(tensor.type));
  if (tensor.has_range) found.range = tensor.range;
  if (tensor.quantization) {
    found.scale = tensor.quantization->scale;
    found.zero_point = tensor.quantization->zero_point;
    found.dimension = tensor.quantization->dimension;
  }
  found.data = tensor.data;
  return found;
}

InspectedOperator OperatorOf(const Graph& graph, const GraphNode& node) {
  const OpDefinition& definition = DefinitionOf(node.type);
  InspectedOperator found;
  found.name = NameOf(definition);
  found.layer = node.name;
  found.attributes = Describe(node.attributes);
  found.inputs = node.inputs;
  found.outputs = node.outputs;
  if (definition.multiply_accumulates != nullptr && !node.outputs.empty()) {
    found.multiply_accumulates =
        definition.multiply_accumulates(graph.OperandsOf(node), graph.tensor(node.outputs[0]).shape);
  }
  return found;
}

/// The layers of a checkpoint, with its parameters as constants.
class CheckpointReader {
 public:
  explicit CheckpointReader(std::shared_ptr<const Checkpoint> checkpoint)
      : checkpoint_(std::move(checkpoint)), network_(checkpoint_->network) {}

  Inspection Run() {
    found_.kind = "checkpoint";
    for (const int32_t input : network_.inputs) found_.inputs.push_back(AddComputed(input));
    for (const GraphNode& node : network_.nodes) AddNode(node);
    for (const int32_t output : network_.outputs) found_.outputs.push_back(PlaceOf(output));
    found_.contract.push_back(Describe(checkpoint_->contract));
    found_.labels = checkpoint_->contract.labels();
    found_.provenance = checkpoint_->provenance;
    found_.facts = {
        {"name", network_.name}, {"scheme", checkpoint_->scheme}, {"step", StrCat(checkpoint_->step)}};
    for (const auto& [name, value] : checkpoint_->metrics) found_.facts.emplace_back(name, NumberText(value));
    if (!checkpoint_->filter_ranges.empty()) found_.facts.emplace_back("filter_ranges", "learned");
    found_.owner = checkpoint_;
    return std::move(found_);
  }

 private:
  int32_t Add(InspectedTensor tensor) {
    if (tensor.bytes == 0) tensor.bytes = FlatSize(tensor.shape) * static_cast<int64_t>(sizeof(float));
    if (const auto range = checkpoint_->ranges.find(tensor.name); range != checkpoint_->ranges.end())
      tensor.range = range->second.range;
    found_.tensors.push_back(std::move(tensor));
    return static_cast<int32_t>(found_.tensors.size()) - 1;
  }

  int32_t AddComputed(int32_t index) {
    InspectedTensor tensor;
    tensor.name = network_.tensor(index).name;
    tensor.type = "float32";
    tensor.shape = network_.tensor(index).shape;
    return placed_[index] = Add(std::move(tensor));
  }

  /// Constants have no place before something reads them, or the network gives them.
  int32_t PlaceOf(int32_t index) {
    const auto found = placed_.find(index);
    return found != placed_.end() ? found->second : placed_[index] = Add(TensorOf(network_.tensor(index)));
  }

  void AddTrained(const std::string& name, InspectedOperator& reader) {
    const auto values = checkpoint_->tensors.find(name);
    if (values == checkpoint_->tensors.end()) return;
    InspectedTensor tensor;
    tensor.name = name;
    tensor.type = "float32";
    tensor.shape = values->second.shape;
    tensor.constant = true;
    tensor.data = BytesOf(values->second.values);
    reader.inputs.push_back(Add(std::move(tensor)));
  }

  void AddNode(const GraphNode& node) {
    InspectedOperator each;
    each.name = NameOf(node.definition());
    each.layer = node.name;
    each.attributes = Describe(node.attributes);
    if (node.batch_norm) each.attributes += StrCat(each.attributes.empty() ? "" : ", ", "batch norm");
    const int64_t multiply_accumulates = MultiplyAccumulates(network_, node);
    each.multiply_accumulates = multiply_accumulates > 0 ? std::optional(multiply_accumulates) : std::nullopt;
    for (const size_t position : DataInputs(network_, node))
      each.inputs.push_back(PlaceOf(node.inputs[position]));
    for (const int32_t index : TrainedTensorsOf(network_, node))
      AddTrained(network_.tensor(index).name, each);
    for (const int32_t output : node.outputs) each.outputs.push_back(AddComputed(output));
    found_.operators.push_back(std::move(each));
  }

  std::shared_ptr<const Checkpoint> checkpoint_;
  const Graph& network_;
  Inspection found_;
  std::map<int32_t, int32_t> placed_;  // tensors of the network: where they are in what was found
};

}  // namespace

Expected<Inspection> InspectGraph(Bytes bytes, const std::string& path) {
  QAT_ASSIGN_OR_RETURN(Graph parsed, ParseGraph(bytes, path));
  const auto graph = std::make_shared<const Graph>(std::move(parsed));
  Inspection found;
  found.kind = "graph";
  for (const GraphTensor& tensor : graph->tensors) found.tensors.push_back(TensorOf(tensor));
  for (const GraphNode& node : graph->nodes) found.operators.push_back(OperatorOf(*graph, node));
  found.inputs = graph->inputs;
  found.outputs = graph->outputs;
  found.contract.push_back(Describe(graph->contract));
  found.labels = graph->contract.labels();
  found.facts = {{"name", graph->name}, {"scheme", graph->scheme}};
  found.provenance = graph->provenance;
  found.owner = graph;
  return found;
}

Expected<Inspection> InspectCheckpoint(Bytes bytes, const std::string& path) {
  QAT_ASSIGN_OR_RETURN(Checkpoint parsed, ParseCheckpoint(bytes, path));
  const auto checkpoint = std::make_shared<const Checkpoint>(std::move(parsed));
  return CheckpointReader(checkpoint).Run();
}

Expected<Inspection> InspectWeights(Bytes bytes, const std::string& path) {
  QAT_ASSIGN_OR_RETURN(WeightsFile parsed, WeightsFile::Parse(std::move(bytes), path));
  const auto file = std::make_shared<const WeightsFile>(std::move(parsed));
  Inspection found;
  found.kind = "weights";
  for (const WeightTensor& each : file->tensors()) {
    InspectedTensor tensor;
    tensor.name = each.name;
    tensor.type = each.type->name;
    tensor.shape = each.shape;
    tensor.constant = true;
    tensor.bytes = static_cast<int64_t>(each.bytes.size());
    tensor.data = each.bytes;
    found.tensors.push_back(std::move(tensor));
  }
  for (const auto& [key, value] : file->metadata()) found.facts.emplace_back(key, value);
  found.owner = file;
  return found;
}

}  // namespace qat
