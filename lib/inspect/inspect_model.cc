#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/strings.h"
#include "contract/contract.h"
#include "inspect/readers.h"
#include "model/model.h"

namespace qat {
namespace {

// TFLite's TensorType by number, those too that nothing here computes with. Source: schemas/tflite.fbs.
constexpr std::array<std::string_view, 23> kTypeNames = {
    "float32",   "float16", "int32",    "uint8",      "int64",  "string",        "bool",       "int16",
    "complex64", "int8",    "float64",  "complex128", "uint64", "resource",      "variant",    "uint32",
    "uint16",    "int4",    "bfloat16", "int2",       "uint4",  "float8_e4m3fn", "float8_e5m2"};

std::string TypeName(DType type) {
  const auto number = static_cast<size_t>(type);
  return number < kTypeNames.size() ? std::string(kTypeNames[number]) : StrCat("type ", number);
}

InspectedTensor TensorOf(const ModelTensor& tensor) {
  InspectedTensor found;
  found.name = tensor.name;
  found.type = TypeName(tensor.file_type);
  found.shape = tensor.shape;
  found.open = tensor.open;
  found.constant = tensor.is_constant;
  const size_t bits = static_cast<size_t>(FlatSize(tensor.shape)) * BitsOf(tensor.file_type);
  const bool packed = tensor.type != tensor.file_type;
  found.bytes =
      static_cast<int64_t>(tensor.constant.empty() || packed ? (bits + 7) / 8 : tensor.constant.size());
  found.scale = tensor.scale;
  found.zero_point = tensor.zero_point;
  found.dimension = tensor.quantized_dimension;
  found.data = tensor.constant;
  return found;
}

// Where all sizes are there: an operator may have inputs that are left out.
std::optional<int64_t> Count(const Model& model, const ModelNode& node) {
  const OpDefinition& definition = DefinitionOf(node.type);
  if (definition.multiply_accumulates == nullptr || node.outputs.empty()) return std::nullopt;
  std::vector<Operand> operands;
  for (const int32_t index : node.inputs) {
    if (index < 0) {
      operands.push_back({});
      continue;
    }
    const ModelTensor& tensor = model.tensors()[static_cast<size_t>(index)];
    operands.push_back({tensor.shape, tensor.type, tensor.constant});
  }
  // Rules count on an operator's usual ranks, and on sizes that int32 can count; files may say others, of
  // outputs, too.
  const auto outputs = InferShapes(definition, node.attributes, operands);
  if (!outputs.ok() || outputs->empty() || CheckedFlatSize(outputs->front()) < 0) return std::nullopt;
  for (const Operand& operand : operands) {
    if (CheckedFlatSize(operand.shape) < 0) return std::nullopt;
  }
  return definition.multiply_accumulates(operands, outputs->front());
}

InspectedOperator OperatorOf(const Model& model, const ModelOperator& each) {
  InspectedOperator found;
  found.name = each.name;
  found.version = each.version;
  found.inputs = each.inputs;
  found.outputs = each.outputs;
  if (!each.outputs.empty() && each.outputs[0] >= 0)
    found.layer = model.tensors()[static_cast<size_t>(each.outputs[0])].name;
  found.known = each.node >= 0;
  if (each.node < 0) return found;
  const ModelNode& node = model.nodes()[static_cast<size_t>(each.node)];
  found.attributes = Describe(node.attributes);
  found.multiply_accumulates = Count(model, node);
  return found;
}

std::string ListOf(const std::vector<float>& numbers) {
  std::vector<std::string> texts;
  for (const float number : numbers) texts.push_back(NumberText(number));
  return Join(texts);
}

void Describe(const TensorDescription& each, const char* what, Inspection& found) {
  std::string text = each.name;
  const auto add = [&](const char* key, const std::vector<float>& numbers) {
    if (!numbers.empty()) text += StrCat(text.empty() ? "" : ", ", key, " ", ListOf(numbers));
  };
  add("mean", each.mean);
  add("std", each.std);
  add("min", each.min);
  add("max", each.max);
  if (!each.label_file.empty()) text += StrCat(text.empty() ? "" : ", ", "labels in ", each.label_file);
  if (!text.empty()) found.facts.emplace_back(what, text);
}

// "'serving_default': image -> scores"; of several the subgraph, too.
std::string TextOf(const ModelSignature& signature, const Model& model) {
  const auto list = [](const std::map<int32_t, std::string>& names) {
    std::vector<std::string> texts;
    for (const auto& [tensor, name] : names) texts.push_back(name);
    return texts.empty() ? "nothing" : Join(texts);
  };
  return StrCat("'", signature.key, "': ", list(signature.inputs), " -> ", list(signature.outputs),
                model.subgraphs() > 1 ? StrCat(", of subgraph ", signature.subgraph) : "");
}

// "'body': x float32 [1, 4] -> y float32 [1, 4], 3 operators (2 ADD, 1 MUL)".
std::string TextOf(const ModelSubgraph& subgraph) {
  std::map<std::string, int64_t> kinds;
  for (const std::string& name : subgraph.operators) ++kinds[name];
  std::vector<std::string> texts;
  for (const auto& [name, count] : kinds) texts.push_back(StrCat(count, " ", name));
  const auto list = [](const std::vector<std::string>& tensors) {
    return tensors.empty() ? "nothing" : Join(tensors);
  };
  return StrCat("'", subgraph.name, "': ", list(subgraph.inputs), " -> ", list(subgraph.outputs), ", ",
                subgraph.operators.size(), subgraph.operators.size() == 1 ? " operator" : " operators",
                texts.empty() ? "" : StrCat(" (", Join(texts), ")"));
}

// Short text is shown; of everything else how long it is.
std::string EntryText(std::span<const uint8_t> bytes) {
  constexpr size_t kLongest = 64;
  const std::string size = StrCat(bytes.size(), bytes.size() == 1 ? " byte" : " bytes");
  std::string text(bytes.begin(), bytes.end());
  text.erase(text.find_last_not_of('\0') + 1);
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
  return text.empty() || text.size() > kLongest || !printable ? size : StrCat(size, ": ", text);
}

}  // namespace

Expected<Inspection> InspectModel(Bytes bytes, const std::string& path) {
  QAT_ASSIGN_OR_RETURN(const std::shared_ptr<const Model> model, Model::FromBytes(std::move(bytes), path));
  Inspection found;
  found.kind = "model";
  for (const ModelTensor& tensor : model->tensors()) found.tensors.push_back(TensorOf(tensor));
  for (const ModelOperator& each : model->operators()) found.operators.push_back(OperatorOf(*model, each));
  found.inputs = model->inputs();
  found.outputs = model->outputs();
  found.made_by = model->made_by();
  found.provenance = model->provenance();
  found.labels = model->labels();
  if (model->contract()) {
    found.contract.push_back(Describe(*model->contract()));
    if (found.labels.empty()) found.labels = model->contract()->labels();
  }
  if (model->description()) {
    if (!model->description()->name.empty()) found.facts.emplace_back("name", model->description()->name);
    for (const TensorDescription& each : model->description()->inputs) Describe(each, "input says", found);
    for (const TensorDescription& each : model->description()->outputs) Describe(each, "output says", found);
  }
  for (const ModelMetadata& entry : model->metadata())
    found.metadata.emplace_back(entry.name, EntryText(entry.bytes));
  for (const ModelSignature& signature : model->signatures())
    found.facts.emplace_back("signature", TextOf(signature, *model));
  for (size_t i = 0; i < model->further_subgraphs().size(); ++i)
    found.facts.emplace_back(StrCat("subgraph ", i + 1), TextOf(model->further_subgraphs()[i]));
  if (!model->unsupported().empty()) found.unsupported = model->unsupported().Text();
  found.owner = model;
  return found;
}

}  // namespace qat
