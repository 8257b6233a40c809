// Frozen graphs, checkpoints and weights.
#include <cstring>
#include <map>
#include <utility>

#include "base/strings.h"
#include "checkpoint/checkpoint.h"
#include "inspect/readers.h"
#include "ir/graph.h"
#include "spec/network_spec.h"
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
    found.multiply_accumulates = definition.multiply_accumulates(graph.OperandsOf(node), graph.tensor(node.outputs[0]).shape);
  }
  return found;
}

/// The layers of a checkpoint, with its parameters as constants.
class CheckpointReader {
 public:
  CheckpointReader(std::shared_ptr<const Checkpoint> checkpoint, const NetworkSpec& spec)
      : checkpoint_(std::move(checkpoint)), spec_(spec) {}

  Inspection Run() {
    found_.kind = "checkpoint";
    InspectedTensor input;
    input.name = "input";
    input.type = "float32";
    input.shape = spec_.input_shape;
    found_.inputs = {Add(std::move(input))};
    for (const LayerSpec& layer : spec_.layers) AddLayer(layer);
    found_.outputs = {layers_.empty() ? found_.inputs[0] : layers_.back()};
    found_.contract.push_back(Describe(checkpoint_->contract));
    found_.labels = checkpoint_->contract.labels();
    found_.provenance = checkpoint_->provenance;
    found_.facts = {{"name", spec_.name}, {"scheme", checkpoint_->scheme}, {"step", StrCat(checkpoint_->step)}};
    for (const auto& [name, value] : checkpoint_->metrics) found_.facts.emplace_back(name, NumberText(value));
    found_.owner = checkpoint_;
    return std::move(found_);
  }

 private:
  int32_t Add(InspectedTensor tensor) {
    if (tensor.bytes == 0) tensor.bytes = FlatSize(tensor.shape) * static_cast<int64_t>(sizeof(float));
    if (const auto range = checkpoint_->ranges.find(tensor.name); range != checkpoint_->ranges.end()) tensor.range = range->second.range;
    found_.tensors.push_back(std::move(tensor));
    return static_cast<int32_t>(found_.tensors.size()) - 1;
  }

  void AddLayer(const LayerSpec& layer) {
    InspectedOperator each;
    each.name = NameOf(layer.definition());
    each.layer = layer.name;
    each.attributes = Describe(layer.attributes);
    if (layer.batch_norm) each.attributes += StrCat(each.attributes.empty() ? "" : ", ", "batch norm");
    each.multiply_accumulates = layer.multiply_accumulates > 0 ? std::optional(layer.multiply_accumulates) : std::nullopt;
    for (const int32_t read : layer.inputs) each.inputs.push_back(read == kNetworkInput ? found_.inputs[0] : layers_[static_cast<size_t>(read)]);
    for (const ParameterSpec& parameter : TrainedParameters(layer)) {
      const std::string name = StrCat(layer.name, "/", parameter.suffix);
      const auto values = checkpoint_->tensors.find(name);
      if (values == checkpoint_->tensors.end()) continue;
      InspectedTensor tensor;
      tensor.name = name;
      tensor.type = "float32";
      tensor.shape = values->second.shape;
      tensor.constant = true;
      tensor.data = BytesOf(values->second.values);
      each.inputs.push_back(Add(std::move(tensor)));
    }
    InspectedTensor output;
    output.name = layer.name;
    output.type = "float32";
    output.shape = layer.output_shape;
    layers_.push_back(Add(std::move(output)));
    each.outputs = {layers_.back()};
    found_.operators.push_back(std::move(each));
  }

  std::shared_ptr<const Checkpoint> checkpoint_;
  const NetworkSpec& spec_;
  Inspection found_;
  std::vector<int32_t> layers_;
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
  auto spec = ParseNetworkSpec(checkpoint->spec_text, checkpoint->spec_source);
  // The user gave a checkpoint, not a spec.
  if (!spec.ok()) return Corrupt(StrCat(path, ": ", spec.error().message));
  return CheckpointReader(checkpoint, *spec).Run();
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
