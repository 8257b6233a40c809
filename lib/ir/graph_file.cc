#include <flatbuffers/flatbuffers.h>

#include <cstring>
#include <vector>

#include "base/envelope.h"
#include "base/file_kind.h"
#include "base/strings.h"
#include "graph_generated.h"
#include "ir/frozen_graph.h"
#include "ir/graph.h"
#include "ops/tflite_options.h"
#include "quant/precision.h"

namespace qat {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

// Raised when a field changes its meaning; a field that is only added keeps it.
constexpr uint32_t kGraphVersion = 2;

Offset<fb::GraphTensor> WriteTensor(FlatBufferBuilder& builder, const GraphTensor& tensor) {
  const auto name = builder.CreateString(tensor.name);
  const auto shape = builder.CreateVector(tensor.shape);
  Offset<flatbuffers::Vector<uint8_t>> data;
  if (tensor.is_constant()) {
    builder.ForceVectorAlignment(tensor.data.size(), 1, 16);
    data = builder.CreateVector(tensor.data);
  }
  Offset<fb::GraphRange> range;
  if (tensor.has_range) {
    range = fb::CreateGraphRange(builder, tensor.range.min, tensor.range.max, tensor.limits.quant_min,
                                 tensor.limits.quant_max);
  }
  Offset<fb::GraphQuantization> quantization;
  if (tensor.quantization.has_value()) {
    const auto scale = builder.CreateVector(tensor.quantization->scale);
    const auto zero_point = builder.CreateVector(tensor.quantization->zero_point);
    quantization = fb::CreateGraphQuantization(builder, scale, zero_point, tensor.quantization->dimension);
  }
  Offset<fb::GraphTrained> trained;
  if (const auto& t = tensor.trained) {
    trained = fb::CreateGraphTrained(builder, static_cast<uint8_t>(t->role),
                                     static_cast<uint8_t>(t->initializer.kind), t->initializer.stddev,
                                     t->initializer.value, t->fan_in, t->fan_out);
  }
  return fb::CreateGraphTensor(builder, name, shape, static_cast<tflite::TensorType>(tensor.type), data,
                               range, quantization, trained);
}

Offset<fb::GraphNode> WriteNode(FlatBufferBuilder& builder, const GraphNode& node) {
  const OpDefinition& definition = DefinitionOf(node.type);
  OptionsWriter options{builder, static_cast<int32_t>(node.inputs.size())};
  if (definition.write_options != nullptr) definition.write_options(options, node.attributes);
  const auto operator_name = builder.CreateString(definition.name.data(), definition.name.size());
  const auto name = builder.CreateString(node.name);
  const auto inputs = builder.CreateVector(node.inputs);
  Offset<flatbuffers::Vector<int32_t>> outputs;
  if (node.outputs.size() != 1) outputs = builder.CreateVector(node.outputs);
  const int32_t first = node.outputs.empty() ? -1 : node.outputs[0];
  Offset<fb::GraphBatchNorm> batch_norm;
  if (const auto& n = node.batch_norm) {
    batch_norm = fb::CreateGraphBatchNorm(builder, n->epsilon, n->momentum, n->gamma, n->beta, n->moving_mean,
                                          n->moving_variance);
  }
  Offset<flatbuffers::Vector<Offset<flatbuffers::String>>> fused;
  if (!node.fused.empty()) fused = builder.CreateVectorOfStrings(node.fused);
  const auto* dropout = std::get_if<DropoutAttributes>(&node.attributes);
  return fb::CreateGraphNode(builder, operator_name, name, options.type, options.table, inputs, first,
                             outputs, batch_norm, fused, dropout == nullptr ? 0 : dropout->keep);
}

GraphTensor ReadTensor(const fb::GraphTensor& entry) {
  GraphTensor tensor;
  tensor.name = entry.name()->str();
  tensor.shape.assign(entry.shape()->begin(), entry.shape()->end());
  tensor.type = static_cast<DType>(entry.type());
  if (entry.data() != nullptr) tensor.data.assign(entry.data()->begin(), entry.data()->end());
  if (const auto* range = entry.range(); range != nullptr) {
    tensor.has_range = true;
    tensor.range = {range->min(), range->max()};
    tensor.limits = {range->quant_min(), range->quant_max()};
  }
  if (const auto* q = entry.quantization(); q != nullptr) {
    tensor.quantization.emplace();
    tensor.quantization->scale.assign(q->scale()->begin(), q->scale()->end());
    // FlatBuffers holds a list to the alignment of its length, 4 bytes, whatever its elements are.
    std::vector<int64_t>& zero_points = tensor.quantization->zero_point;
    zero_points.resize(q->zero_point()->size());
    if (!zero_points.empty())
      std::memcpy(zero_points.data(), q->zero_point()->Data(), zero_points.size() * sizeof(int64_t));
    tensor.quantization->dimension = q->dimension();
  }
  if (const auto* t = entry.trained(); t != nullptr) {
    tensor.trained = {static_cast<ParameterSpec::Role>(t->role()),
                      {static_cast<Initializer::Kind>(t->initializer()), t->stddev(), t->value()},
                      t->fan_in(),
                      t->fan_out()};
  }
  return tensor;
}

Expected<GraphNode> ReadNode(const fb::GraphNode& entry) {
  const OpDefinition* definition = FindOpByName(entry.operator_name()->string_view());
  if (definition == nullptr || (definition->builtin_code < 0 && definition->type != OpType::kDropout)) {
    return Unsupported(
        StrCat("operator '", entry.operator_name()->string_view(), "' is unknown to this build"));
  }
  GraphNode node;
  node.type = definition->type;
  node.name = entry.name()->str();
  node.attributes = definition->default_attributes;
  if (definition->read_options != nullptr) {
    QAT_ASSIGN_OR_RETURN(node.attributes, definition->read_options({entry.options_type(), entry.options()}));
  }
  node.inputs.assign(entry.inputs()->begin(), entry.inputs()->end());
  node.outputs = {entry.output()};
  if (entry.outputs() != nullptr) node.outputs.assign(entry.outputs()->begin(), entry.outputs()->end());
  if (auto* dropout = std::get_if<DropoutAttributes>(&node.attributes)) {
    dropout->keep = entry.keep();
    if (!(dropout->keep > 0 && dropout->keep <= 1))
      return Corrupt(StrCat("keeps ", dropout->keep, " of its values, expected a number in (0, 1]"));
  }
  if (const auto* n = entry.batch_norm(); n != nullptr) {
    node.batch_norm = {n->epsilon(), n->momentum(),    n->gamma(),
                       n->beta(),    n->moving_mean(), n->moving_variance()};
  }
  if (entry.fused() != nullptr) {
    for (const auto* each : *entry.fused()) node.fused.push_back(each->str());
  }
  return node;
}

Offset<fb::GraphPrecision> WritePrecision(FlatBufferBuilder& builder, const Precision& p) {
  return fb::CreateGraphPrecision(builder, static_cast<tflite::TensorType>(p.type), p.bits, p.symmetric,
                                  p.narrow, static_cast<fb::Granularity>(p.granularity), p.block_size);
}

Precision ReadPrecision(const fb::GraphPrecision& p) {
  return {static_cast<DType>(p.type()),
          p.bits(),
          p.symmetric(),
          p.narrow(),
          static_cast<Granularity>(p.granularity()),
          p.block_size()};
}

// Files of version 1 say a scheme by name only.
Status ExpectKnownPrecision(const fb::Graph& root) {
  if (root.activations() == nullptr || root.filters() == nullptr) return {};
  const Precisions precisions = {ReadPrecision(*root.activations()), ReadPrecision(*root.filters())};
  if (HasName(precisions)) return {};
  return Unsupported(StrCat("activations are ", precisions.activations.bits, "-bit ",
                            NameOf(precisions.activations.type), " and filters ", precisions.filters.bits,
                            "-bit ", NameOf(precisions.filters.type),
                            ", which this build does not quantize to"));
}

Expected<Graph> ReadRoot(const fb::Graph& root) {
  Graph graph;
  graph.name = root.name()->str();
  graph.scheme = root.scheme()->str();
  if (root.form() != fb::GraphForm_Frozen && root.form() != fb::GraphForm_Trainable)
    return Unsupported(StrCat("has the form ", int{root.form()}, ", which this build does not know"));
  graph.form = static_cast<GraphForm>(root.form());
  QAT_RETURN_IF_ERROR(ExpectKnownPrecision(root));
  for (const auto* entry : *root.tensors()) graph.tensors.push_back(ReadTensor(*entry));
  for (const auto* entry : *root.nodes()) {
    QAT_ASSIGN_OR_RETURN_IN(StrCat("node '", entry->name()->string_view(), "'"), GraphNode node,
                            ReadNode(*entry));
    graph.nodes.push_back(std::move(node));
  }
  graph.inputs.assign(root.inputs()->begin(), root.inputs()->end());
  graph.outputs.assign(root.outputs()->begin(), root.outputs()->end());
  if (root.contract() != nullptr) {
    QAT_ASSIGN_OR_RETURN(graph.contract, ParseContract({root.contract()->data(), root.contract()->size()}));
  }
  if (const auto* signature = root.signature(); signature != nullptr) {
    graph.signature.key = signature->key()->str();
    for (const auto* name : *signature->inputs()) graph.signature.inputs.push_back(name->str());
    for (const auto* name : *signature->outputs()) graph.signature.outputs.push_back(name->str());
  }
  for (const auto* entry : *root.provenance()) graph.provenance[entry->name()->str()] = entry->value()->str();
  QAT_RETURN_IF_ERROR(Verify(graph));
  return graph;
}

}  // namespace

Bytes Serialize(const Graph& graph) {
  FlatBufferBuilder builder;
  std::vector<Offset<fb::GraphTensor>> tensors;
  for (const GraphTensor& tensor : graph.tensors) tensors.push_back(WriteTensor(builder, tensor));
  std::vector<Offset<fb::GraphNode>> nodes;
  for (const GraphNode& node : graph.nodes) nodes.push_back(WriteNode(builder, node));
  std::vector<Offset<fb::GraphText>> texts;
  for (const auto& [name, value] : graph.provenance) {
    const auto name_offset = builder.CreateString(name);
    texts.push_back(fb::CreateGraphText(builder, name_offset, builder.CreateString(value)));
  }
  Offset<flatbuffers::Vector<uint8_t>> contract_offset;
  if (graph.form == GraphForm::kFrozen) {
    const Bytes contract = Serialize(graph.contract);
    builder.ForceVectorAlignment(contract.size(), 1, 8);
    contract_offset = builder.CreateVector(contract);
  }
  Offset<fb::GraphSignature> signature;
  if (!graph.signature.empty()) {
    const auto key = builder.CreateString(graph.signature.key);
    const auto input_names = builder.CreateVectorOfStrings(graph.signature.inputs);
    signature = fb::CreateGraphSignature(builder, key, input_names,
                                         builder.CreateVectorOfStrings(graph.signature.outputs));
  }
  const auto name = builder.CreateString(graph.name);
  const auto scheme = builder.CreateString(graph.scheme);
  const auto tensors_offset = builder.CreateVector(tensors);
  const auto nodes_offset = builder.CreateVector(nodes);
  const auto inputs = builder.CreateVector(graph.inputs);
  const auto outputs = builder.CreateVector(graph.outputs);
  const auto provenance = builder.CreateVector(texts);
  const Precisions precisions = PrecisionsFromName(graph.scheme).value_or(Precisions());
  const auto activations = WritePrecision(builder, precisions.activations);
  const auto filters = WritePrecision(builder, precisions.filters);
  builder.Finish(fb::CreateGraph(builder, name, scheme, tensors_offset, nodes_offset, inputs, outputs,
                                 contract_offset, provenance, static_cast<fb::GraphForm>(graph.form),
                                 activations, filters, signature));
  return SealEnvelope(kGraphIdentifier, kGraphVersion, {builder.GetBufferPointer(), builder.GetSize()});
}

bool SameNetwork(const Graph& a, const Graph& b) {
  const auto bytes_of = [](Graph graph) {
    graph.provenance.clear();
    graph.signature = {};
    return Serialize(graph);
  };
  return bytes_of(a) == bytes_of(b);
}

Expected<Graph> ParseGraph(std::span<const uint8_t> bytes, const std::string& source) {
  QAT_ASSIGN_OR_RETURN(const auto payload, OpenEnvelope(bytes, kGraphIdentifier, kGraphVersion, source));
  flatbuffers::Verifier verifier(payload.data(), payload.size());
  if (!verifier.VerifyBuffer<fb::Graph>()) return Corrupt(StrCat(source, ": its tables are malformed"));
  QAT_ASSIGN_OR_RETURN_IN(source, Graph graph, ReadRoot(*flatbuffers::GetRoot<fb::Graph>(payload.data())));
  return graph;
}

Expected<Graph> ParseFrozenGraph(std::span<const uint8_t> bytes, const std::string& source) {
  QAT_ASSIGN_OR_RETURN(Graph graph, ParseGraph(bytes, source));
  if (graph.form == GraphForm::kFrozen) return graph;
  return InvalidArgument(StrCat(source, ": is a network that has not been trained, expected a frozen graph"));
}

Expected<Graph> ReadGraph(const std::string& path) {
  QAT_ASSIGN_OR_RETURN(const Bytes bytes, ReadFileOfKind(path, kGraphIdentifier));
  return ParseFrozenGraph(bytes, path);
}

}  // namespace qat
