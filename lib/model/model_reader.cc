// A .tflite file is one FlatBuffer (schemas/tflite.fbs). The structural verifier makes every offset safe to
// follow; the rest of this file checks what the numbers mean: of tensors, of operators, who produces what
// before whom.
#include "model/model_reader.h"

#include <algorithm>
#include <limits>

#include "base/strings.h"
#include "model/data_flow.h"
#include "model/file_buffers.h"
#include "model/model_metadata.h"
#include "model/operator_names.h"
#include "model/tensor_reader.h"
#include "ops/tflite_options.h"

namespace qat {
namespace {

template <class T>
size_t SizeOrZero(const flatbuffers::Vector<T>* vector) {
  return vector == nullptr ? 0 : vector->size();
}

std::string TextOf(const flatbuffers::String* text) { return text == nullptr ? std::string() : text->str(); }

class Reader {
 public:
  Reader(std::span<const uint8_t> bytes, const tflite::Model& file, KnownVersion known,
         const std::string& signature)
      : buffers_(bytes, file), file_(file), known_(known), signature_(signature) {}
  Expected<ModelContents> Read() &&;

 private:
  Expected<const tflite::SubGraph*> MainSubgraph();
  Status ReadTensors(const tflite::SubGraph& subgraph);
  Status ReadOperators(const tflite::SubGraph& subgraph);
  Status ReadOperator(size_t index, const tflite::Operator& op);
  Expected<const OpDefinition*> ReadOpcode(size_t index, const tflite::Operator& op);
  bool MayBeNewer(int32_t version) const { return known_ == nullptr && version > 1; }
  Expected<ModelNode> ReadNode(const OpDefinition& definition, const tflite::Operator& op) const;
  Expected<bool> ReadDensify(size_t index, const tflite::Operator& op);
  Status AddMissing(size_t index, const tflite::Operator& op);
  Expected<std::vector<int32_t>> ReadIndices(const flatbuffers::Vector<int32_t>* indices, const char* what,
                                             int32_t smallest) const;
  Status ReadSignatures();
  Status ReadInputsAndOutputs(const tflite::SubGraph& subgraph);
  void NameOutputs();
  Status CheckFlow();

  FileBuffers buffers_;
  const tflite::Model& file_;
  const KnownVersion known_;
  const std::string& signature_;
  ModelContents contents_;
  std::vector<GivenValue> given_;     // by tensor
  std::vector<OperatorWires> wires_;  // by operator of the file
};

Expected<ModelContents> Reader::Read() && {
  QAT_ASSIGN_OR_RETURN(const tflite::SubGraph* subgraph, MainSubgraph());
  QAT_RETURN_IF_ERROR(ReadTensors(*subgraph));
  QAT_RETURN_IF_ERROR(ReadInputsAndOutputs(*subgraph));
  NameOutputs();
  QAT_RETURN_IF_ERROR(ReadOperators(*subgraph));
  QAT_RETURN_IF_ERROR(CheckFlow());
  QAT_RETURN_IF_ERROR(ReadMetadata(buffers_, contents_));
  if (contents_.subgraph != 0) {  // they speak of the first one
    contents_.contract.reset();
    contents_.description.reset();
  }
  contents_.aligned = buffers_.TakeMemory();
  return std::move(contents_);
}

// Further subgraphs are bodies of control flow operators, which are refused by name.
Expected<const tflite::SubGraph*> Reader::MainSubgraph() {
  if (file_.version() != 3) return Corrupt(StrCat("schema version is ", file_.version(), ", expected 3"));
  if (SizeOrZero(file_.subgraphs()) == 0) return Corrupt("holds no subgraph");
  if (SizeOrZero(file_.buffers()) == 0) return Corrupt("holds no buffers");
  QAT_RETURN_IF_ERROR(ReadSignatures());
  const tflite::SubGraph* subgraph = file_.subgraphs()->Get(static_cast<uint32_t>(contents_.subgraph));
  if (SizeOrZero(subgraph->tensors()) == 0) return Corrupt("its subgraph holds no tensors");
  return subgraph;
}

Status Reader::ReadTensors(const tflite::SubGraph& subgraph) {
  for (uint32_t i = 0; i < subgraph.tensors()->size(); ++i) {
    const tflite::Tensor& tensor = *subgraph.tensors()->Get(i);
    QAT_ASSIGN_OR_RETURN_IN(StrCat("tensor ", i, " '", TextOf(tensor.name()), "'"), ModelTensor read,
                            ReadTensor(tensor, buffers_, contents_.unsupported));
    const bool is_state = tensor.is_variable() || tensor.external_buffer() != 0;
    given_.push_back(read.is_constant ? GivenValue::kFixed
                     : is_state       ? GivenValue::kState
                                      : GivenValue::kNone);
    contents_.tensors.push_back(std::move(read));
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

Status Reader::ReadSignatures() {
  std::vector<std::string> keys;
  for (uint32_t i = 0; i < SizeOrZero(file_.signature_defs()); ++i) {
    const tflite::SignatureDef& entry = *file_.signature_defs()->Get(i);
    if (entry.subgraph_index() >= file_.subgraphs()->size()) continue;
    ModelSignature signature;
    signature.key = TextOf(entry.signature_key());
    signature.subgraph = entry.subgraph_index();
    const auto take = [](const auto* maps, std::map<int32_t, std::string>& names) {
      for (uint32_t k = 0; k < SizeOrZero(maps); ++k)
        names[static_cast<int32_t>(maps->Get(k)->tensor_index())] = TextOf(maps->Get(k)->name());
    };
    take(entry.inputs(), signature.inputs);
    take(entry.outputs(), signature.outputs);
    keys.push_back(signature.key);
    contents_.signatures.push_back(std::move(signature));
  }
  if (signature_.empty()) return {};
  const auto wanted = std::find(keys.begin(), keys.end(), signature_);
  if (wanted == keys.end())
    return InvalidArgument(StrCat("`signature`: there is none called '", signature_, "', expected ",
                                  keys.empty() ? "a model that has signatures" : Join(keys)));
  contents_.subgraph = contents_.signatures[static_cast<size_t>(wanted - keys.begin())].subgraph;
  return {};
}

// TensorFlow's converter calls outputs after the function that gave them, "StatefulPartitionedCall_1:0";
// their own names are in the signature alone.
void Reader::NameOutputs() {
  const auto is_taken = [&](const std::string& name) {
    return std::any_of(contents_.tensors.begin(), contents_.tensors.end(),
                       [&](const ModelTensor& each) { return each.name == name; });
  };
  for (const ModelSignature& signature : contents_.signatures) {
    if (signature.subgraph != contents_.subgraph) continue;
    for (const auto& [index, name] : signature.outputs) {
      if (index < 0 || index >= std::ssize(contents_.tensors) || name.empty()) continue;
      ModelTensor& tensor = contents_.tensors[static_cast<size_t>(index)];
      const bool of_a_call =
          tensor.name.starts_with("StatefulPartitionedCall") || tensor.name.starts_with("PartitionedCall");
      if (of_a_call && !is_taken(name)) tensor.name = name;
    }
    return;
  }
}

Status Reader::ReadOperators(const tflite::SubGraph& subgraph) {
  for (uint32_t i = 0; i < SizeOrZero(subgraph.operators()); ++i)
    QAT_RETURN_IF_ERROR(ReadOperator(i, *subgraph.operators()->Get(i)));
  return {};
}

Status Reader::ReadOperator(size_t index, const tflite::Operator& op) {
  QAT_ASSIGN_OR_RETURN(const OpDefinition* definition, ReadOpcode(index, op));
  const int32_t version = contents_.operators.back().version;
  if (definition == nullptr) return wires_.size() > index ? Status() : AddMissing(index, op);
  auto node = ReadNode(*definition, op);
  if (!node.ok() && (node.error().code == ErrorCode::kUnsupported || MayBeNewer(version))) {
    contents_.unsupported.Add(
        StrCat(definition->tflite_name, " version ", version, ": ", node.error().message), index);
    return AddMissing(index, op);
  }
  if (!node.ok()) return std::move(node).error().Prefixed(NodeLabel(index, *definition));
  node->version = version;
  wires_.push_back({NodeLabel(index, *definition), false, node->inputs, node->outputs});
  ModelOperator& listed = contents_.operators.back();
  listed.inputs = node->inputs;
  listed.outputs = node->outputs;
  listed.node = static_cast<int32_t>(contents_.nodes.size());
  contents_.places.push_back(index);
  contents_.nodes.push_back(*std::move(node));
  return {};
}

// Null: an operator that is not known, or done already. Lists the operator by its name.
Expected<const OpDefinition*> Reader::ReadOpcode(size_t index, const tflite::Operator& op) {
  if (op.opcode_index() >= SizeOrZero(file_.operator_codes())) {
    return Corrupt(StrCat("operator ", index, ": operator code is ", op.opcode_index(), ", expected below ",
                          SizeOrZero(file_.operator_codes())));
  }
  const tflite::OperatorCode& code = *file_.operator_codes()->Get(op.opcode_index());
  const int32_t builtin = std::max<int32_t>(code.deprecated_builtin_code(), code.builtin_code());
  const int32_t version = code.version();
  if (builtin < 0 || version < 1) {
    return Corrupt(StrCat("operator ", index, ": builtin code ", builtin, ", version ", version));
  }
  const OpDefinition* definition = FindOpByBuiltin(builtin);
  std::string name = BuiltinName(builtin);
  if (builtin == tflite::BuiltinOperator_CUSTOM)
    name = StrCat("custom operator '", TextOf(code.custom_code()), "'");
  contents_.operators.push_back({name, version, {}, {}, -1});
  int32_t highest = 0;
  if (definition != nullptr)
    highest = known_ == nullptr ? std::numeric_limits<int32_t>::max() : known_(definition->type);
  if (version <= highest) return definition;
  if (builtin == tflite::BuiltinOperator_DENSIFY) {
    QAT_ASSIGN_OR_RETURN(const bool is_done, ReadDensify(index, op));
    if (is_done) return static_cast<const OpDefinition*>(nullptr);
  }
  name += StrCat(" version ", version);
  if (highest > 0) name += StrCat(", known up to version ", highest);
  contents_.unsupported.Add(std::move(name), index);
  return static_cast<const OpDefinition*>(nullptr);
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

// The reader has filled in the zeros of sparse constants, so the output is the same constant and nothing is
// left to run. False for an input that is computed.
Expected<bool> Reader::ReadDensify(size_t index, const tflite::Operator& op) {
  const std::string label = StrCat("operator ", index, " (DENSIFY)");
  QAT_ASSIGN_OR_RETURN_IN(label, auto inputs, ReadIndices(op.inputs(), "inputs", 0));
  QAT_ASSIGN_OR_RETURN_IN(label, auto outputs, ReadIndices(op.outputs(), "outputs", 0));
  if (inputs.size() != 1 || outputs.size() != 1) {
    return Corrupt(
        StrCat(label, ": has ", inputs.size(), " inputs and ", outputs.size(), " outputs, expected 1 and 1"));
  }
  const ModelTensor& from = contents_.tensors[static_cast<size_t>(inputs[0])];
  ModelTensor& to = contents_.tensors[static_cast<size_t>(outputs[0])];
  if (!from.is_constant) return false;
  if (to.type != from.type || (!to.open && to.shape != from.shape)) {
    return Corrupt(StrCat(label, ": output '", to.name, "' is ", NameOf(to.type), " ", ToString(to.shape),
                          ", expected ", NameOf(from.type), " ", ToString(from.shape)));
  }
  contents_.operators.back().inputs = inputs;
  contents_.operators.back().outputs = outputs;
  wires_.push_back({label, false, std::move(inputs), std::move(outputs)});
  to.shape = from.shape;
  to.constant = from.constant;
  to.is_constant = true;
  return true;
}

// What it writes: tensors left out (-1) are none. What it reads is for those who look at the file, if it can
// be read.
Status Reader::AddMissing(size_t index, const tflite::Operator& op) {
  OperatorWires wires{StrCat("operator ", index), true, {}, {}};
  if (op.outputs() != nullptr) {
    QAT_ASSIGN_OR_RETURN_IN(wires.label, wires.outputs, ReadIndices(op.outputs(), "outputs", -1));
  }
  ModelOperator& listed = contents_.operators.back();
  listed.outputs = wires.outputs;
  if (auto inputs = ReadIndices(op.inputs(), "inputs", -1); inputs.ok()) listed.inputs = *std::move(inputs);
  std::erase(wires.outputs, -1);
  wires_.push_back(std::move(wires));
  return {};
}

Status Reader::CheckFlow() {
  for (const int32_t input : contents_.inputs) {
    ModelTensor& tensor = contents_.tensors[static_cast<size_t>(input)];
    if (tensor.is_constant) return Corrupt(StrCat("input tensor ", input, " is a constant"));
    // Nobody makes it: without sizes it is a scalar.
    if (tensor.shape.empty()) tensor.open = false;
    given_[static_cast<size_t>(input)] = GivenValue::kFixed;
  }
  return CheckDataFlow(given_, wires_, contents_.outputs);
}

}  // namespace

Expected<ModelContents> ReadModel(std::span<const uint8_t> bytes, KnownVersion known,
                                  const std::string& signature) {
  if (bytes.size() >= FLATBUFFERS_MAX_BUFFER_SIZE) return Unsupported("files of 2 GiB and more");
  flatbuffers::Verifier verifier(bytes.data(), bytes.size());
  if (!tflite::VerifyModelBuffer(verifier)) return Corrupt("its tables are damaged or cut off");
  return Reader(bytes, *tflite::GetModel(bytes.data()), known, signature).Read();
}

std::string NodeLabel(size_t index, const OpDefinition& definition) {
  return StrCat("operator ", index, " (", definition.tflite_name, ")");
}

}  // namespace qat
