// A .tflite file is one FlatBuffer (schemas/tflite.fbs). The structural verifier makes every offset safe to follow; the
// rest of this file checks what the numbers mean: of tensors, of operators, who produces what before whom.
#include "runtime/model_reader.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/strings.h"
#include "base/zip.h"
#include "contract/provenance.h"
#include "ops/tflite_options.h"
#include "runtime/kernels/kernel.h"

namespace qat {
namespace {

constexpr int64_t kLargestTensor = std::numeric_limits<int32_t>::max();
constexpr uint64_t kLargestLabelFile = uint64_t{1} << 24;

template <class T>
size_t SizeOrZero(const flatbuffers::Vector<T>* vector) {
  return vector == nullptr ? 0 : vector->size();
}

std::string TextOf(const flatbuffers::String* text) { return text == nullptr ? std::string() : text->str(); }

class Reader {
 public:
  Reader(std::span<const uint8_t> bytes, const tflite::Model& file) : bytes_(bytes), file_(file) {}
  Expected<ModelContents> Read() &&;

 private:
  Expected<const tflite::SubGraph*> MainSubgraph();
  Status ReadTensors(const tflite::SubGraph& subgraph);
  Expected<ModelTensor> ReadTensor(const tflite::Tensor& tensor);
  Status ReadType(const tflite::Tensor& tensor, ModelTensor& result);
  Status ReadShape(const tflite::Tensor& tensor, ModelTensor& result);
  Status ReadConstant(const tflite::Tensor& tensor, ModelTensor& result);
  Status ReadQuantization(const tflite::Tensor& tensor, ModelTensor& result);
  Expected<std::span<const uint8_t>> BufferBytes(const tflite::Buffer& buffer) const;
  std::span<const uint8_t> Align(std::span<const uint8_t> data, size_t alignment);

  Status ReadOperators(const tflite::SubGraph& subgraph);
  Expected<const OpDefinition*> ReadOpcode(size_t index, const tflite::Operator& op, int32_t& version);
  Expected<ModelNode> ReadNode(const OpDefinition& definition, const tflite::Operator& op) const;
  Expected<std::vector<int32_t>> ReadIndices(const flatbuffers::Vector<int32_t>* indices, const char* what,
                                             int32_t smallest) const;
  Status ReadInputsAndOutputs(const tflite::SubGraph& subgraph);
  Expected<std::optional<std::span<const uint8_t>>> MetadataEntry(std::string_view name);
  Status ReadContract();
  Status ReadDescription();
  Status ReadProvenance();
  Status ReadLabels(const std::string& label_file);
  Status CheckDataFlow() const;
  std::vector<DType> TypesOf(const flatbuffers::Vector<int32_t>* indices) const;

  std::span<const uint8_t> bytes_;
  const tflite::Model& file_;
  ModelContents contents_;
};

Expected<ModelContents> Reader::Read() && {
  QAT_ASSIGN_OR_RETURN(const tflite::SubGraph* subgraph, MainSubgraph());
  QAT_RETURN_IF_ERROR(ReadTensors(*subgraph));
  QAT_RETURN_IF_ERROR(ReadInputsAndOutputs(*subgraph));
  QAT_RETURN_IF_ERROR(ReadOperators(*subgraph));
  // A tensor that a missing operator makes has no source.
  if (contents_.unsupported.empty()) QAT_RETURN_IF_ERROR(CheckDataFlow());
  QAT_RETURN_IF_ERROR(ReadContract());
  QAT_RETURN_IF_ERROR(ReadDescription());
  QAT_RETURN_IF_ERROR(ReadProvenance());
  return std::move(contents_);
}

// Further subgraphs are bodies of control flow operators, which are refused by name.
Expected<const tflite::SubGraph*> Reader::MainSubgraph() {
  if (file_.version() != 3) return Corrupt(StrCat("schema version is ", file_.version(), ", expected 3"));
  if (SizeOrZero(file_.subgraphs()) == 0) return Corrupt("holds no subgraph");
  if (SizeOrZero(file_.buffers()) == 0) return Corrupt("holds no buffers");
  const tflite::SubGraph* subgraph = file_.subgraphs()->Get(0);
  if (SizeOrZero(subgraph->tensors()) == 0) return Corrupt("its subgraph holds no tensors");
  return subgraph;
}

Status Reader::ReadTensors(const tflite::SubGraph& subgraph) {
  for (uint32_t i = 0; i < subgraph.tensors()->size(); ++i) {
    const tflite::Tensor& tensor = *subgraph.tensors()->Get(i);
    QAT_ASSIGN_OR_RETURN_IN(StrCat("tensor ", i, " '", TextOf(tensor.name()), "'"), ModelTensor read,
                            ReadTensor(tensor));
    contents_.tensors.push_back(std::move(read));
  }
  return {};
}

Expected<ModelTensor> Reader::ReadTensor(const tflite::Tensor& tensor) {
  ModelTensor result;
  result.name = TextOf(tensor.name());
  if (tensor.is_variable()) contents_.unsupported.Add(StrCat("variable tensor '", result.name, "'"));
  if (tensor.sparsity() != nullptr) contents_.unsupported.Add(StrCat("sparse tensor '", result.name, "'"));
  if (tensor.external_buffer() != 0)
    contents_.unsupported.Add(StrCat("externally stored tensor '", result.name, "'"));
  QAT_RETURN_IF_ERROR(ReadType(tensor, result));
  QAT_RETURN_IF_ERROR(ReadShape(tensor, result));
  QAT_RETURN_IF_ERROR(ReadConstant(tensor, result));
  QAT_RETURN_IF_ERROR(ReadQuantization(tensor, result));
  return result;
}

Status Reader::ReadType(const tflite::Tensor& tensor, ModelTensor& result) {
  if (tensor.type() < tflite::TensorType_MIN || tensor.type() > tflite::TensorType_MAX) {
    return Corrupt(StrCat("type is ", int{tensor.type()}, ", expected 0 to ", int{tflite::TensorType_MAX}));
  }
  result.type = static_cast<DType>(tensor.type());
  if (SizeOf(result.type) == 0) {
    contents_.unsupported.Add(
        StrCat("tensor '", result.name, "' of type ", tflite::EnumNameTensorType(tensor.type())));
  }
  return {};
}

Status Reader::ReadShape(const tflite::Tensor& tensor, ModelTensor& result) {
  if (tensor.shape() != nullptr) result.shape.assign(tensor.shape()->begin(), tensor.shape()->end());
  for (uint32_t i = 0; i < SizeOrZero(tensor.shape_signature()); ++i)
    result.open = result.open || tensor.shape_signature()->Get(i) < 0;
  for (int32_t& extent : result.shape) {
    // Some writers have the open size in the shape itself.
    if (extent == -1) {
      extent = 1;
      result.open = true;
    }
    if (extent < 0) return Corrupt(StrCat("shape is ", ToString(result.shape), ", expected sizes >= 0"));
  }
  const auto element = static_cast<int64_t>(std::max<size_t>(SizeOf(result.type), 1));
  if (FlatSize(result.shape) > kLargestTensor / element) {
    return Corrupt(StrCat("shape is ", ToString(result.shape), ", expected at most 2 GiB"));
  }
  return {};
}

Expected<std::span<const uint8_t>> Reader::BufferBytes(const tflite::Buffer& buffer) const {
  if (buffer.data() != nullptr) return std::span<const uint8_t>(buffer.data()->data(), buffer.data()->size());
  // Files beyond 2 GiB keep data behind the FlatBuffer; offsets 0 and 1 say that there is none.
  if (buffer.offset() > bytes_.size() || buffer.size() > bytes_.size() - buffer.offset()) {
    return Corrupt(
        StrCat("its data lie at ", buffer.offset(), " + ", buffer.size(), ", behind the end of the file"));
  }
  return bytes_.subspan(buffer.offset(), buffer.size());
}

std::span<const uint8_t> Reader::Align(std::span<const uint8_t> data, size_t alignment) {
  if (alignment == 0 || reinterpret_cast<uintptr_t>(data.data()) % alignment == 0) return data;
  contents_.aligned.push_back(std::make_unique<uint8_t[]>(data.size()));
  std::memcpy(contents_.aligned.back().get(), data.data(), data.size());
  return {contents_.aligned.back().get(), data.size()};
}

Status Reader::ReadConstant(const tflite::Tensor& tensor, ModelTensor& result) {
  if (tensor.buffer() >= file_.buffers()->size()) {
    return Corrupt(StrCat("buffer is ", tensor.buffer(), ", expected below ", file_.buffers()->size()));
  }
  const tflite::Buffer& buffer = *file_.buffers()->Get(tensor.buffer());
  result.is_constant = tensor.buffer() != 0 && (buffer.data() != nullptr || buffer.offset() > 1);
  if (!result.is_constant) return {};
  QAT_ASSIGN_OR_RETURN(const std::span<const uint8_t> data, BufferBytes(buffer));
  const size_t element = SizeOf(result.type);
  const size_t expected = static_cast<size_t>(FlatSize(result.shape)) * element;
  if (element != 0 && data.size() != expected) {
    return Corrupt(StrCat("its buffer has ", data.size(), " bytes, expected ", expected, " for ",
                          NameOf(result.type), " ", ToString(result.shape)));
  }
  result.constant = Align(data, element);
  return {};
}

Status Reader::ReadQuantization(const tflite::Tensor& tensor, ModelTensor& result) {
  const tflite::QuantizationParameters* quantization = tensor.quantization();
  if (quantization == nullptr) return {};
  if (quantization->details_type() != tflite::QuantizationDetails_NONE) {
    contents_.unsupported.Add(StrCat("quantization details of tensor '", result.name, "'"));
  }
  const size_t count = SizeOrZero(quantization->scale());
  if (count == 0) return {};
  if (SizeOrZero(quantization->zero_point()) != count) {
    return Corrupt(
        StrCat("has ", count, " scales and ", SizeOrZero(quantization->zero_point()), " zero points"));
  }
  int32_t dimension = quantization->quantized_dimension();
  // Early converters gave a bias the dimension of its filter; a list has only one. TFLite-Micro runs such models.
  if (result.shape.size() == 1 && dimension > 0) dimension = 0;
  const bool in_range =
      dimension >= 0 && static_cast<size_t>(dimension) < std::max<size_t>(result.shape.size(), 1);
  if (!in_range)
    return Corrupt(StrCat("quantized dimension is ", dimension, ", its shape is ", ToString(result.shape)));
  if (count != 1 &&
      (result.shape.empty() || count != static_cast<size_t>(result.shape[static_cast<size_t>(dimension)]))) {
    return Corrupt(StrCat("has ", count, " scales, expected 1 or one a slice of dimension ", dimension,
                          " of ", ToString(result.shape)));
  }
  result.scale.assign(quantization->scale()->begin(), quantization->scale()->end());
  result.zero_point.assign(quantization->zero_point()->begin(), quantization->zero_point()->end());
  result.quantized_dimension = dimension;
  for (float scale : result.scale) {
    if (!std::isfinite(scale) || scale < 0)
      return Corrupt(StrCat("scale is ", scale, ", expected a number >= 0"));
  }
  return {};
}

Expected<std::vector<int32_t>> Reader::ReadIndices(const flatbuffers::Vector<int32_t>* indices,
                                                   const char* what, int32_t smallest) const {
  if (indices == nullptr) return Corrupt(StrCat("has no list of ", what));
  for (int32_t index : *indices) {
    if (index < smallest || static_cast<int64_t>(index) >= static_cast<int64_t>(contents_.tensors.size())) {
      return Corrupt(StrCat(what, " hold tensor ", index, ", expected below ", contents_.tensors.size()));
    }
  }
  return std::vector<int32_t>(indices->begin(), indices->end());
}

Status Reader::ReadInputsAndOutputs(const tflite::SubGraph& subgraph) {
  QAT_ASSIGN_OR_RETURN(contents_.inputs, ReadIndices(subgraph.inputs(), "inputs", 0));
  QAT_ASSIGN_OR_RETURN(contents_.outputs, ReadIndices(subgraph.outputs(), "outputs", 0));
  if (contents_.outputs.empty()) return Corrupt("has no outputs");
  return {};
}

Status Reader::ReadOperators(const tflite::SubGraph& subgraph) {
  for (uint32_t i = 0; i < SizeOrZero(subgraph.operators()); ++i) {
    const tflite::Operator& op = *subgraph.operators()->Get(i);
    int32_t version = 0;
    QAT_ASSIGN_OR_RETURN(const OpDefinition* definition, ReadOpcode(i, op, version));
    if (definition == nullptr) continue;
    auto node = ReadNode(*definition, op);
    if (!node.ok() && node.error().code == ErrorCode::kUnsupported) {
      contents_.unsupported.Add(
          StrCat(definition->tflite_name, " version ", version, ": ", node.error().message), i);
      continue;
    }
    if (!node.ok()) return std::move(node).error().Prefixed(NodeLabel(i, *definition));
    node->version = version;
    contents_.places.push_back(i);
    contents_.nodes.push_back(*std::move(node));
  }
  return {};
}

// Null: an operator that this build does not have, already listed.
Expected<const OpDefinition*> Reader::ReadOpcode(size_t index, const tflite::Operator& op, int32_t& version) {
  if (op.opcode_index() >= SizeOrZero(file_.operator_codes())) {
    return Corrupt(StrCat("operator ", index, ": operator code is ", op.opcode_index(), ", expected below ",
                          SizeOrZero(file_.operator_codes())));
  }
  const tflite::OperatorCode& code = *file_.operator_codes()->Get(op.opcode_index());
  const int32_t builtin = std::max<int32_t>(code.deprecated_builtin_code(), code.builtin_code());
  version = code.version();
  if (builtin < 0 || version < 1) {
    return Corrupt(StrCat("operator ", index, ": builtin code ", builtin, ", version ", version));
  }
  const OpDefinition* definition = FindOpByBuiltin(builtin);
  const OpKernels* kernels = definition == nullptr ? nullptr : FindKernels(definition->type);
  if (kernels != nullptr && version <= kernels->max_version) return definition;
  std::string name = tflite::EnumNameBuiltinOperator(static_cast<tflite::BuiltinOperator>(builtin));
  if (name.empty()) name = StrCat("builtin operator ", builtin);
  if (builtin == tflite::BuiltinOperator_CUSTOM)
    name = StrCat("custom operator '", TextOf(code.custom_code()), "'");
  name += StrCat(" version ", version, ": ");
  if (kernels != nullptr) name += StrCat("known up to ", kernels->max_version, ", ");
  contents_.unsupported.Add(name + NoKernelFor(TypesOf(op.inputs()), TypesOf(op.outputs())), index);
  return static_cast<const OpDefinition*>(nullptr);
}

// What is no tensor is left out.
std::vector<DType> Reader::TypesOf(const flatbuffers::Vector<int32_t>* indices) const {
  std::vector<DType> types;
  for (uint32_t i = 0; i < SizeOrZero(indices); ++i) {
    if (const auto at = static_cast<size_t>(indices->Get(i)); at < contents_.tensors.size())
      types.push_back(contents_.tensors[at].type);
  }
  return types;
}

Expected<ModelNode> Reader::ReadNode(const OpDefinition& definition, const tflite::Operator& op) const {
  ModelNode node;
  node.type = definition.type;
  QAT_ASSIGN_OR_RETURN(node.inputs, ReadIndices(op.inputs(), "inputs", -1));
  QAT_ASSIGN_OR_RETURN(node.outputs, ReadIndices(op.outputs(), "outputs", 0));
  // An optional input left out at the end is the same as one not listed.
  while (!node.inputs.empty() && node.inputs.back() == -1) node.inputs.pop_back();
  const auto count = static_cast<int64_t>(node.inputs.size());
  if (count < definition.min_inputs || count > definition.max_inputs) {
    return Corrupt(
        StrCat("has ", count, " inputs, expected ", definition.min_inputs, " to ", definition.max_inputs));
  }
  if (std::find(node.inputs.begin(), node.inputs.end(), -1) != node.inputs.end())
    return Corrupt("lacks an input");
  if (node.outputs.empty() || (definition.infer_shapes == nullptr && node.outputs.size() != 1))
    return Corrupt(StrCat("has ", node.outputs.size(), " outputs, expected 1"));
  QAT_ASSIGN_OR_RETURN(node.attributes,
                       definition.read_options({op.builtin_options_type(), op.builtin_options()}));
  return node;
}

Status Reader::CheckDataFlow() const {
  std::vector<bool> known(contents_.tensors.size());
  for (size_t i = 0; i < known.size(); ++i) known[i] = contents_.tensors[i].is_constant;
  for (int32_t input : contents_.inputs) {
    if (contents_.tensors[static_cast<size_t>(input)].is_constant)
      return Corrupt(StrCat("input tensor ", input, " is a constant"));
    known[static_cast<size_t>(input)] = true;
  }
  for (size_t i = 0; i < contents_.nodes.size(); ++i) {
    const ModelNode& node = contents_.nodes[i];
    const std::string label = NodeLabel(i, DefinitionOf(node.type));
    for (int32_t input : node.inputs) {
      if (!known[static_cast<size_t>(input)])
        return Corrupt(StrCat(label, ": input tensor ", input, " is not produced before"));
    }
    for (int32_t output : node.outputs) {
      if (known[static_cast<size_t>(output)])
        return Corrupt(StrCat(label, ": output tensor ", output, " already has a value"));
      known[static_cast<size_t>(output)] = true;
    }
  }
  for (int32_t output : contents_.outputs) {
    if (!known[static_cast<size_t>(output)])
      return Corrupt(StrCat("output tensor ", output, " is not produced"));
  }
  return {};
}

// Of two entries with one name the first counts, as for TFLite's own readers. Nothing: there is none.
Expected<std::optional<std::span<const uint8_t>>> Reader::MetadataEntry(std::string_view name) {
  for (uint32_t i = 0; i < SizeOrZero(file_.metadata()); ++i) {
    const tflite::Metadata& entry = *file_.metadata()->Get(i);
    if (TextOf(entry.name()) != name) continue;
    if (entry.buffer() >= file_.buffers()->size()) return Corrupt(StrCat("buffer is ", entry.buffer()));
    QAT_ASSIGN_OR_RETURN(const std::span<const uint8_t> data,
                         BufferBytes(*file_.buffers()->Get(entry.buffer())));
    return std::optional(Align(data, 16));
  }
  return std::optional<std::span<const uint8_t>>();
}

Status Reader::ReadContract() {
  const std::string place = StrCat("metadata '", kContractMetadataName, "'");
  QAT_ASSIGN_OR_RETURN_IN(place, const auto entry, MetadataEntry(kContractMetadataName));
  if (!entry) return {};
  QAT_ASSIGN_OR_RETURN_IN(place, contents_.contract, ParseInputContract(*entry));
  return {};
}

Status Reader::ReadDescription() {
  const std::string place = StrCat("metadata '", kDescriptionMetadataName, "'");
  QAT_ASSIGN_OR_RETURN_IN(place, const auto entry, MetadataEntry(kDescriptionMetadataName));
  if (!entry) return {};
  QAT_ASSIGN_OR_RETURN_IN(place, contents_.description, ParseModelDescription(*entry));
  if (!contents_.description || contents_.description->outputs.empty()) return {};
  return ReadLabels(contents_.description->outputs[0].label_file);
}

Status Reader::ReadProvenance() {
  contents_.made_by = TextOf(file_.description());
  const std::string place = StrCat("metadata '", kProvenanceMetadataName, "'");
  QAT_ASSIGN_OR_RETURN_IN(place, const auto entry, MetadataEntry(kProvenanceMetadataName));
  if (entry)
    contents_.provenance = ParseProvenance({reinterpret_cast<const char*>(entry->data()), entry->size()});
  return {};
}

// What the description names need not be there: label files are often kept beside the model instead.
Status Reader::ReadLabels(const std::string& label_file) {
  if (label_file.empty()) return {};
  const auto entries = ListZip(bytes_);
  if (!entries.ok()) return entries.error().code == ErrorCode::kNotFound ? Status() : entries.error();
  for (const ZipEntry& entry : *entries) {
    if (entry.name != label_file) continue;
    QAT_ASSIGN_OR_RETURN(const Bytes text, ExtractZip(bytes_, entry, kLargestLabelFile));
    contents_.labels = ParseLabelFile({reinterpret_cast<const char*>(text.data()), text.size()});
    return {};
  }
  return {};
}

}  // namespace

Expected<ModelContents> ReadModel(std::span<const uint8_t> bytes) {
  if (bytes.size() >= FLATBUFFERS_MAX_BUFFER_SIZE) return Unsupported("files of 2 GiB and more");
  flatbuffers::Verifier verifier(bytes.data(), bytes.size());
  if (!tflite::VerifyModelBuffer(verifier)) return Corrupt("its tables are damaged or cut off");
  return Reader(bytes, *tflite::GetModel(bytes.data())).Read();
}

std::string NodeLabel(size_t index, const OpDefinition& definition) {
  return StrCat("operator ", index, " (", definition.tflite_name, ")");
}

}  // namespace qat
