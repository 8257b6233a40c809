#include "tflite/tflite_writer.h"

#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>
#include <string_view>

#include "base/strings.h"
#include "base/version.h"
#include "base/zip.h"
#include "contract/provenance.h"
#include "ir/constants.h"
#include "ops/integer_kernels.h"
#include "ops/tflite_options.h"
#include "tflite/describe_model.h"
#include "tflite_generated.h"

namespace qat {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

constexpr uint32_t kSchemaVersion = 3;
constexpr size_t kBufferAlignment = 16;
constexpr size_t kRuntimeVersionSize = 16;

/// Buffers of a model: 0 is empty and stands for "computed"; equal contents share one.
class BufferTable {
 public:
  explicit BufferTable(FlatBufferBuilder& builder) : builder_(builder) {
    offsets_.push_back(tflite::CreateBuffer(builder));
  }

  uint32_t Add(const Bytes& content) {
    const auto next = static_cast<uint32_t>(offsets_.size());
    const auto [found, is_new] = known_.emplace(content, next);
    if (!is_new) return found->second;
    builder_.ForceVectorAlignment(content.size(), 1, kBufferAlignment);
    offsets_.push_back(tflite::CreateBuffer(builder_, builder_.CreateVector(content)));
    return next;
  }

  const std::vector<Offset<tflite::Buffer>>& offsets() const { return offsets_; }

 private:
  FlatBufferBuilder& builder_;
  std::map<Bytes, uint32_t> known_;
  std::vector<Offset<tflite::Buffer>> offsets_;
};

/// Distinct (operator, version) pairs, in order of first use.
class OpCodeTable {
 public:
  uint32_t Add(const OpDefinition* definition, int32_t version) {
    const auto entry = std::pair(definition, version);
    const auto found = std::find(entries_.begin(), entries_.end(), entry);
    if (found != entries_.end()) return static_cast<uint32_t>(found - entries_.begin());
    entries_.push_back(entry);
    return static_cast<uint32_t>(entries_.size()) - 1;
  }

  const std::vector<std::pair<const OpDefinition*, int32_t>>& entries() const { return entries_; }

 private:
  std::vector<std::pair<const OpDefinition*, int32_t>> entries_;
};

std::array<int, 3> ParseRelease(std::string_view release) {
  std::array<int, 3> numbers = {};
  const char* end = release.data() + release.size();
  const char* at = release.data();
  for (int& number : numbers) {
    at = std::from_chars(at, end, number).ptr;
    if (at == end) break;
    ++at;  // the dot
  }
  return numbers;
}

struct Versioned {
  int32_t version = 1;
  std::string_view release;  ///< the first with it
};

/// By the operator's rule, and what its integers ask for beyond it.
Versioned VersionOf(const Graph& graph, const GraphNode& node) {
  const OpDefinition& definition = DefinitionOf(node.type);
  VersionQuery query;
  query.input = graph.tensor(node.inputs[static_cast<size_t>(definition.data_input)]).type;
  if (definition.filter_input >= 0) {
    query.filter = graph.tensor(node.inputs[static_cast<size_t>(definition.filter_input)]).type;
  }
  query.attributes = &node.attributes;
  query.inputs = static_cast<int32_t>(node.inputs.size());
  Versioned result{definition.version(query), ""};
  const auto index = static_cast<size_t>(result.version) - 1;
  QAT_CHECK(index < definition.releases.size());
  result.release = definition.releases[index];
  const auto raise = [&](TypedVersion typed) {
    result.version = std::max(result.version, typed.version);
    if (ParseRelease(typed.release) > ParseRelease(result.release)) result.release = typed.release;
  };
  if (query.input == DType::kInt16 || graph.tensor(node.outputs[0]).type == DType::kInt16)
    raise(Int16VersionOf(node.type));
  if (query.filter == DType::kInt4)
    raise(query.input == DType::kFloat32 ? Int4HybridVersionOf(node.type) : Int4VersionOf(node.type));
  return result;
}

/// The latest of the first releases that know an operator in its version, padded with NUL.
Bytes MinRuntimeVersion(const Graph& graph) {
  std::string_view latest = "1.5.0";
  for (const GraphNode& node : graph.nodes) {
    const std::string_view release = VersionOf(graph, node).release;
    if (ParseRelease(release) > ParseRelease(latest)) latest = release;
  }
  Bytes text(latest.begin(), latest.end());
  text.resize(kRuntimeVersionSize, 0);
  return text;
}

/// Tensor names with those of inputs and outputs as asked for.
Expected<std::vector<std::string>> TensorNames(const Graph& graph, const TfliteWriterOptions& options) {
  std::vector<std::string> names;
  for (const GraphTensor& tensor : graph.tensors) names.push_back(tensor.name);
  const auto rename = [&](std::string_view what, const std::vector<std::string>& wanted,
                          const std::vector<int32_t>& indices) -> Status {
    if (wanted.empty()) return {};
    if (wanted.size() != indices.size()) {
      return InvalidArgument(StrCat(wanted.size(), " ", what, " names for ", indices.size(), " ", what, "s"));
    }
    for (size_t i = 0; i < wanted.size(); ++i) names[static_cast<size_t>(indices[i])] = wanted[i];
    return {};
  };
  QAT_RETURN_IF_ERROR(rename("input", options.input_names, graph.inputs));
  QAT_RETURN_IF_ERROR(rename("output", options.output_names, graph.outputs));
  std::set<std::string_view> seen;
  for (const std::string& name : names) {
    if (name.empty()) return InvalidArgument("an input or output name is empty");
    if (!seen.insert(name).second)
      return InvalidArgument(StrCat("two tensors would be named '", name,
                                    "', expected names of inputs and outputs that no other tensor has"));
  }
  return names;
}

Status CheckOperators(const Graph& graph) {
  std::set<std::string> missing;
  for (const GraphNode& node : graph.nodes) {
    const OpDefinition& definition = DefinitionOf(node.type);
    if (definition.builtin_code < 0) missing.insert(std::string(definition.name));
  }
  if (missing.empty()) return {};
  return Unsupported(StrCat("operators without a counterpart in .tflite: ",
                            Join(std::vector<std::string>(missing.begin(), missing.end()))));
}

/// Writes tensors and operators; what several of them have in common (pools and reshapes share parameters,
/// layers share options) is written once.
class TableWriter {
 public:
  explicit TableWriter(FlatBufferBuilder& builder) : builder_(builder) {}

  Offset<tflite::Tensor> WriteTensor(const GraphTensor& tensor, const std::string& name, uint32_t buffer,
                                     bool open_batch) {
    const auto quantization = Quantization(tensor);
    const auto shape = Numbers(tensor.shape);
    Offset<flatbuffers::Vector<int32_t>> signature;
    if (open_batch && !tensor.shape.empty()) {
      Shape open = tensor.shape;
      open[0] = -1;
      signature = Numbers(open);
    }
    return tflite::CreateTensor(builder_, shape, static_cast<tflite::TensorType>(tensor.type), buffer,
                                builder_.CreateSharedString(name), quantization, false, 0, signature);
  }

  Offset<tflite::Operator> WriteOperator(const GraphNode& node, uint32_t code) {
    const OptionsWriter options = Options(node);
    const auto inputs = Numbers(node.inputs);
    const auto outputs = Numbers(node.outputs);
    return tflite::CreateOperator(builder_, code, inputs, outputs, options.type, options.table);
  }

 private:
  Offset<flatbuffers::Vector<int32_t>> Numbers(const std::vector<int32_t>& numbers) {
    const auto [found, is_new] = numbers_.try_emplace(numbers);
    if (is_new) found->second = builder_.CreateVector(numbers);
    return found->second;
  }

  Offset<tflite::QuantizationParameters> Quantization(const GraphTensor& tensor) {
    if (!tensor.quantization.has_value()) return 0;
    for (const auto& [known, offset] : quantizations_) {
      if (known == *tensor.quantization) return offset;
    }
    const TensorQuantization& q = *tensor.quantization;
    const auto scale = builder_.CreateVector(q.scale);
    const auto [zero_point, is_new] = zero_points_.try_emplace(q.zero_point);
    if (is_new) zero_point->second = builder_.CreateVector(q.zero_point);
    const auto offset = tflite::CreateQuantizationParameters(
        builder_, 0, 0, scale, zero_point->second, tflite::QuantizationDetails_NONE, 0, q.dimension);
    quantizations_.emplace_back(q, offset);
    return offset;
  }

  OptionsWriter Options(const GraphNode& node) {
    for (const auto& [known, options] : options_) {
      if (known->type == node.type && known->attributes == node.attributes &&
          known->inputs.size() == node.inputs.size()) {
        return options;
      }
    }
    OptionsWriter options{builder_, static_cast<int32_t>(node.inputs.size())};
    const OpDefinition& definition = DefinitionOf(node.type);
    if (definition.write_options != nullptr) definition.write_options(options, node.attributes);
    options_.emplace_back(&node, options);
    return options;
  }

  FlatBufferBuilder& builder_;
  std::map<std::vector<int32_t>, Offset<flatbuffers::Vector<int32_t>>> numbers_;
  std::map<std::vector<int64_t>, Offset<flatbuffers::Vector<int64_t>>> zero_points_;
  std::vector<std::pair<TensorQuantization, Offset<tflite::QuantizationParameters>>> quantizations_;
  std::vector<std::pair<const GraphNode*, OptionsWriter>> options_;
};

std::vector<Offset<tflite::OperatorCode>> WriteCodes(FlatBufferBuilder& builder, const OpCodeTable& codes) {
  constexpr int32_t kPlaceholder = 127;
  std::vector<Offset<tflite::OperatorCode>> offsets;
  for (const auto& [definition, version] : codes.entries()) {
    const auto old_code = static_cast<int8_t>(std::min(definition->builtin_code, kPlaceholder));
    offsets.push_back(tflite::CreateOperatorCode(
        builder, old_code, 0, version, static_cast<tflite::BuiltinOperator>(definition->builtin_code)));
  }
  return offsets;
}

/// Whether a node has a batch of its own. TFLite's kernels of TRANSPOSE_CONV and BROADCAST_TO take the batch
/// of their output from a constant. SLICE takes it from the tensor's shape; with an open shape it would
/// allocate anew with every run, where no delegate follows (ai-edge-litert 2.3.0).
bool HoldsBatch(const Graph& graph, const GraphNode& node) {
  const auto is_constant = [&](int32_t input) {
    return input >= 0 && graph.tensor(input).is_constant() && !graph.tensor(input).shape.empty();
  };
  switch (node.type) {
    case OpType::kTransposeConv:
    case OpType::kBroadcastTo:
    case OpType::kSlice:
      return true;
    case OpType::kReshape: {
      if (node.inputs.size() < 2 || !graph.tensor(node.inputs[1]).is_constant()) return false;
      const GraphTensor& shape = graph.tensor(node.inputs[1]);
      return shape.type != DType::kInt32 || Int32Values(shape).front() != -1;
    }
    case OpType::kConcatenation:
    case OpType::kPack:
      return std::any_of(node.inputs.begin(), node.inputs.end(), is_constant);
    default:
      return false;
  }
}

bool BatchIsOpen(const Graph& graph) {
  return std::none_of(graph.nodes.begin(), graph.nodes.end(),
                      [&](const GraphNode& node) { return HoldsBatch(graph, node); });
}

/// Inputs and outputs say that their batch is open; what lies between follows from them.
std::set<int32_t> OpenTensors(const Graph& graph) {
  if (!BatchIsOpen(graph)) return {};
  std::set<int32_t> open(graph.inputs.begin(), graph.inputs.end());
  open.insert(graph.outputs.begin(), graph.outputs.end());
  return open;
}

Offset<tflite::SubGraph> WriteSubgraph(FlatBufferBuilder& builder, const Graph& graph,
                                       const std::vector<std::string>& names, BufferTable& buffers,
                                       OpCodeTable& codes) {
  TableWriter writer(builder);
  const std::set<int32_t> open = OpenTensors(graph);
  std::vector<Offset<tflite::Tensor>> tensors;
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    const GraphTensor& tensor = graph.tensors[i];
    const uint32_t buffer = tensor.is_constant() ? buffers.Add(tensor.data) : 0;
    tensors.push_back(writer.WriteTensor(tensor, names[i], buffer, open.contains(static_cast<int32_t>(i))));
  }
  std::vector<Offset<tflite::Operator>> operators;
  for (const GraphNode& node : graph.nodes) {
    operators.push_back(
        writer.WriteOperator(node, codes.Add(&DefinitionOf(node.type), VersionOf(graph, node).version)));
  }
  const auto tensors_offset = builder.CreateVector(tensors);
  const auto inputs = builder.CreateVector(graph.inputs);
  const auto outputs = builder.CreateVector(graph.outputs);
  const auto operators_offset = builder.CreateVector(operators);
  return tflite::CreateSubGraph(builder, tensors_offset, inputs, outputs, operators_offset,
                                builder.CreateString("main"));
}

Offset<tflite::SignatureDef> WriteSignature(FlatBufferBuilder& builder, const Graph& graph,
                                            const std::vector<std::string>& names) {
  const auto write = [&](const std::vector<int32_t>& indices, const auto& name_of) {
    std::vector<Offset<tflite::TensorMap>> maps;
    for (size_t i = 0; i < indices.size(); ++i) {
      const auto name = builder.CreateSharedString(name_of(i));
      maps.push_back(tflite::CreateTensorMap(builder, name, static_cast<uint32_t>(indices[i])));
    }
    return builder.CreateVector(maps);
  };
  // An app asks for an input by the name that its user gave it, whatever normalizes it first.
  const auto input_name = [&](size_t i) {
    const auto index = static_cast<size_t>(graph.inputs[i]);
    const bool renamed = names[index] != graph.tensors[index].name;
    return renamed || graph.inputs.size() == 1 || graph.contract.inputs.size() != graph.inputs.size() ||
                   graph.contract.inputs[i].name.empty()
               ? names[index]
               : graph.contract.inputs[i].name;
  };
  const GraphSignature& own = graph.signature;
  if (own.inputs.size() == graph.inputs.size() && own.outputs.size() == graph.outputs.size()) {
    const auto inputs = write(graph.inputs, [&](size_t i) { return own.inputs[i]; });
    const auto outputs = write(graph.outputs, [&](size_t i) { return own.outputs[i]; });
    return tflite::CreateSignatureDef(builder, inputs, outputs, builder.CreateString(own.key));
  }
  const auto inputs = write(graph.inputs, input_name);
  const auto outputs =
      write(graph.outputs, [&](size_t i) { return names[static_cast<size_t>(graph.outputs[i])]; });
  return tflite::CreateSignatureDef(builder, inputs, outputs, builder.CreateString("serving_default"));
}

bool SaysTheContract(const ModelDescription& description, const Graph& graph) {
  const bool labelled =
      std::any_of(description.outputs.begin(), description.outputs.end(),
                  [](const TensorDescription& output) { return !output.label_file.empty(); });
  std::vector<std::string> labels;
  if (labelled) labels = ParseLabelFile(LabelFileText(graph.contract.labels()));
  return description.inputs.size() == 1 &&
         ContractOf(description.inputs[0], graph.tensor(graph.inputs[0]).shape, labels) == graph.contract;
}

std::vector<Offset<tflite::Metadata>> WriteMetadata(FlatBufferBuilder& builder, const Graph& graph,
                                                    const ModelDescription& description, bool says_input,
                                                    BufferTable& buffers) {
  std::vector<Offset<tflite::Metadata>> entries;
  const auto add = [&](std::string_view name, const Bytes& content) {
    const uint32_t buffer = buffers.Add(content);
    const auto name_offset = builder.CreateString(name.data(), name.size());
    entries.push_back(tflite::CreateMetadata(builder, name_offset, buffer));
  };
  add("min_runtime_version", MinRuntimeVersion(graph));
  add(kDescriptionMetadataName, Serialize(description));
  // The standard metadata says the same to everybody, unless a label file is missing or a name in it was
  // changed.
  if (says_input && !SaysTheContract(description, graph))
    add(kContractMetadataName, Serialize(graph.contract));
  const std::string made_from = ProvenanceText(graph.provenance);
  if (!made_from.empty()) add(kProvenanceMetadataName, {made_from.begin(), made_from.end()});
  return entries;
}

// Readers of the standard metadata look for it in an archive after the FlatBuffer.
void AppendLabelFile(const ModelDescription& description, const Contract& contract, Bytes& bytes) {
  const bool wanted = std::any_of(description.outputs.begin(), description.outputs.end(),
                                  [](const auto& output) { return !output.label_file.empty(); });
  if (!wanted) return;
  const std::string text = LabelFileText(contract.labels());
  const ZipFile file = {kLabelFileName, Bytes(text.begin(), text.end())};
  AppendZip(std::span(&file, 1), bytes);
}

}  // namespace

Expected<Bytes> WriteTflite(const Graph& graph, const TfliteWriterOptions& options) {
  QAT_RETURN_IF_ERROR(CheckOperators(graph));
  QAT_ASSIGN_OR_RETURN(const std::vector<std::string> names, TensorNames(graph, options));
  FlatBufferBuilder builder;
  BufferTable buffers(builder);
  OpCodeTable codes;
  const auto subgraph = WriteSubgraph(builder, graph, names, buffers, codes);
  ModelDescription description = DescribeModel(graph);
  if (!options.says_input) description.inputs.assign(graph.inputs.size(), TensorDescription());
  const auto metadata = WriteMetadata(builder, graph, description, options.says_input, buffers);
  const auto signature = WriteSignature(builder, graph, names);

  const auto codes_offset = builder.CreateVector(WriteCodes(builder, codes));
  const auto subgraphs = builder.CreateVector(&subgraph, 1);
  const auto made_by = builder.CreateString(StrCat("qat-convert ", Version()));
  const auto buffers_offset = builder.CreateVector(buffers.offsets());
  const auto metadata_offset = builder.CreateVector(metadata);
  const auto signatures = builder.CreateVector(&signature, 1);
  tflite::FinishModelBuffer(
      builder, tflite::CreateModel(builder, kSchemaVersion, codes_offset, subgraphs, made_by, buffers_offset,
                                   0, metadata_offset, signatures));
  Bytes bytes(builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());
  AppendLabelFile(description, graph.contract, bytes);
  return bytes;
}

}  // namespace qat
