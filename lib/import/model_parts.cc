#include "import/model_parts.h"

#include <algorithm>

#include "base/strings.h"
#include "import/constants.h"
#include "model/signatures.h"
#include "runtime/prepared_model.h"

namespace qat {
namespace {

/// Why a node that runs cannot be part of a graph; empty: it can.
std::string ReasonAgainst(const Model& model, const ModelNode& node, bool stays) {
  const OpDefinition& definition = DefinitionOf(node.type);
  const auto tensor = [&](int32_t index) -> const ModelTensor& {
    return model.tensors()[static_cast<size_t>(index)];
  };
  if (stays && definition.version == nullptr && node.type != OpType::kDequantize)
    return StrCat(definition.tflite_name, ": runs, but is not written to a model yet");
  for (const int32_t position : {definition.filter_input, definition.bias_input}) {
    if (position < 0 || static_cast<size_t>(position) >= node.inputs.size()) continue;
    const int32_t input = node.inputs[static_cast<size_t>(position)];
    const bool computed =
        std::none_of(model.nodes().begin(), model.nodes().end(), [&](const ModelNode& source) {
          return source.outputs == std::vector<int32_t>{input} && source.type == OpType::kDequantize &&
                 tensor(source.inputs[0]).is_constant;
        });
    if (!tensor(input).is_constant && computed)
      return StrCat(definition.tflite_name, ": its filter or bias is computed");
  }
  return "";
}

}  // namespace

Status CheckImportable(const Model& model, const std::vector<bool>& stays) {
  UnsupportedList all = stays.empty() ? UnsupportedParts(model) : UnsupportedList();
  for (size_t i = 0; i < model.nodes().size(); ++i) {
    const std::string reason = ReasonAgainst(model, model.nodes()[i], !stays.empty() && stays[i]);
    if (!reason.empty()) all.Add(reason, model.place_of(i));
  }
  if (!all.empty()) {
    return Unsupported(StrCat(
        "cannot be imported: ", all.Text(),
        "; export the network without them: replace custom and rare operators by others, unroll loops and "
        "recurrent layers, use constants for weights"));
  }
  for (const int32_t index : model.inputs()) {
    const ModelTensor& input = model.tensors()[static_cast<size_t>(index)];
    if (std::count(input.signature.begin(), input.signature.end(), -1) == 0) continue;
    if (std::count(input.signature.begin() + 1, input.signature.end(), -1) == 0) continue;
    return Unsupported(StrCat("input '", input.name, "' leaves sizes other than the batch open, ",
                              ToString(input.signature), "; export the network with fixed sizes"));
  }
  return {};
}

std::vector<Shape> ShapesWithBatchOne(const Model& model) {
  std::vector<Shape> shapes;
  bool changed = false;
  for (const int32_t index : model.inputs()) {
    const ModelTensor& input = model.tensors()[static_cast<size_t>(index)];
    shapes.push_back(input.shape);
    if (input.signature.empty() || input.signature[0] != -1 || input.shape.empty() || input.shape[0] == 1)
      continue;
    shapes.back()[0] = 1;
    changed = true;
  }
  return changed ? shapes : std::vector<Shape>();
}

bool IsRawNumber(const Model& model, int32_t tensor) {
  const ModelTensor& input = model.tensors()[static_cast<size_t>(tensor)];
  if (input.type != DType::kUInt8 || !input.scale.empty()) return false;
  bool read = false;
  for (const ModelNode& node : model.nodes()) {
    if (std::find(node.inputs.begin(), node.inputs.end(), tensor) == node.inputs.end()) continue;
    read = true;
    if (node.type != OpType::kCast ||
        model.tensors()[static_cast<size_t>(node.outputs[0])].type != DType::kFloat32)
      return false;
  }
  return read;
}

namespace {

/// The names that a signature has for all of `tensors`; empty: it lacks one, or has one twice.
std::vector<std::string> NamesFor(const std::vector<int32_t>& tensors,
                                  const std::map<int32_t, std::string>& signature) {
  std::vector<std::string> names;
  for (const int32_t tensor : tensors) {
    const auto found = signature.find(tensor);
    if (found == signature.end() || found->second.empty()) return {};
    if (std::find(names.begin(), names.end(), found->second) != names.end()) return {};
    names.push_back(found->second);
  }
  return names;
}

/// The same real numbers as int8 and as uint8: the scale is the same, and the zero points are 128 apart.
bool IsShift(const ModelTensor& a, const ModelTensor& b) {
  if (a.scale.size() != 1 || a.scale != b.scale) return false;
  const int64_t difference = a.zero_point[0] - b.zero_point[0];
  return (a.type == DType::kUInt8 && b.type == DType::kInt8 && difference == 128) ||
         (a.type == DType::kInt8 && b.type == DType::kUInt8 && difference == -128);
}

}  // namespace

int32_t SameAs(const Model& model, std::span<const ModelTensor> tensors, const ModelNode& node) {
  const auto tensor = [&](int32_t index) -> const ModelTensor& {
    return tensors[static_cast<size_t>(index)];
  };
  if (node.type == OpType::kDequantize) return node.inputs[0];
  const bool from_floats = tensor(node.inputs[0]).type == DType::kFloat32;
  if (node.type == OpType::kQuantize)
    return from_floats || IsShift(tensor(node.inputs[0]), tensor(node.outputs[0])) ? node.inputs[0] : -1;
  if (node.type != OpType::kCast || tensor(node.outputs[0]).type != DType::kFloat32) return -1;
  return from_floats || IsRawNumber(model, node.inputs[0]) ? node.inputs[0] : -1;
}

GraphSignature SignatureOf(const Model& model, const std::string& key) {
  const ModelSignature* read = SignatureRead(model, key);
  if (read == nullptr) return {};
  GraphSignature signature = {read->key, NamesFor(model.inputs(), read->inputs),
                              NamesFor(model.outputs(), read->outputs)};
  return signature.inputs.empty() || signature.outputs.empty() ? GraphSignature() : signature;
}

void SetRealAttributes(OpAttributes& attributes) {
  if (auto* a = std::get_if<FullyConnectedAttributes>(&attributes)) a->asymmetric_inputs = false;
  if (auto* a = std::get_if<BatchMatMulAttributes>(&attributes)) a->asymmetric_inputs = false;
}

}  // namespace qat
