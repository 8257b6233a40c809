#include "trace/remake.h"

#include <algorithm>

#include "base/strings.h"
#include "freeze/freeze.h"
#include "passes/passes.h"
#include "quant/scheme.h"
#include "tflite/tflite_writer.h"

namespace qat {
namespace {

const ModelTensor& InputOf(const Model& model) {
  return model.tensors()[static_cast<size_t>(model.inputs()[0])];
}

std::vector<std::string> NamesOf(const Model& model, const std::vector<int32_t>& indices) {
  std::vector<std::string> names;
  for (const int32_t index : indices) names.push_back(model.tensors()[static_cast<size_t>(index)].name);
  return names;
}

bool EndsIn(const Model& model, OpType type) {
  return !model.nodes().empty() && model.nodes().back().type == type;
}

// Operators after the last layer that are in the model and not in the graph were appended.
Status AppendAsIn(const Model& model, Graph& graph) {
  const bool graph_has_softmax = !graph.nodes.empty() && graph.nodes.back().type == OpType::kSoftmax;
  const bool graph_has_argmax = !graph.nodes.empty() && graph.nodes.back().type == OpType::kArgMax;
  if (EndsIn(model, OpType::kArgMax) && !graph_has_argmax) {
    const auto output = static_cast<size_t>(model.outputs()[0]);
    return AppendArgMax(graph, model.tensors()[output].type);
  }
  return EndsIn(model, OpType::kSoftmax) && !graph_has_softmax ? AppendSoftmax(graph) : Status();
}

// By what the first operator with a filter reads: before it the values may have been of another type.
Scheme SchemeOf(const Model& model) {
  DType type = InputOf(model).type;
  for (const ModelNode& node : model.nodes()) {
    const OpDefinition& definition = DefinitionOf(node.type);
    if (definition.filter_input < 0) continue;
    type = model.tensors()[static_cast<size_t>(node.inputs[static_cast<size_t>(definition.data_input)])].type;
    break;
  }
  if (type == DType::kUInt8) return Scheme::kUInt8;
  return type == DType::kInt8 ? Scheme::kInt8 : Scheme::kFloat32;
}

/// A filter of several channels that has one scale all the same; nothing where the scheme says what filters are.
std::optional<Precision> FilterPrecisionOf(const Model& model) {
  for (const ModelNode& node : model.nodes()) {
    const OpDefinition& definition = DefinitionOf(node.type);
    if (definition.filter_input < 0) continue;
    const ModelTensor& filter = model.tensors()[static_cast<size_t>(node.inputs[static_cast<size_t>(definition.filter_input)])];
    const auto axis = static_cast<size_t>(definition.filter_channel_axis);
    if (filter.type != DType::kInt8 || axis >= filter.shape.size() || filter.shape[axis] < 2) continue;
    return filter.scale.size() == 1 ? std::optional(kInt8Filters) : std::nullopt;
  }
  return std::nullopt;
}

// As of uint8, which is how --input-stats are given.
std::optional<QuantizationParams> InputParamsOf(const Model& model) {
  const ModelTensor& input = InputOf(model);
  if (input.scale.size() != 1 || input.zero_point.size() != 1) return {};
  const int64_t shift = input.type == DType::kInt8 ? 128 : 0;
  return QuantizationParams{input.scale[0], static_cast<int32_t>(input.zero_point[0] + shift)};
}

std::string Named(const std::string& name, std::string_view what) {
  return StrCat("tensor '", name, "': ", what);
}

std::string Difference(const ModelTensor& made, const ModelTensor& found) {
  if (made.name != found.name) return Named(made.name, StrCat("is called '", found.name, "'"));
  if (made.type != found.type || made.shape != found.shape)
    return Named(made.name, "has another type or shape");
  if (made.scale != found.scale || made.zero_point != found.zero_point) {
    return Named(made.name, "has another scale or zero point");
  }
  const bool same =
      std::equal(made.constant.begin(), made.constant.end(), found.constant.begin(), found.constant.end());
  return same ? "" : Named(made.name, "has other values");
}

std::string Difference(const GraphTensor& made, const GraphTensor& found) {
  if (made.name != found.name) return Named(made.name, StrCat("is called '", found.name, "'"));
  if (made.type != found.type || made.shape != found.shape)
    return Named(made.name, "has another type or shape");
  if (made.has_range != found.has_range || made.range != found.range || made.limits != found.limits) {
    return Named(made.name, "has another range");
  }
  return made.data == found.data ? "" : Named(made.name, "has other values");
}

template <class Tensors>
std::string FirstDifferenceOf(const Tensors& made, const Tensors& found) {
  if (made.size() != found.size())
    return StrCat("it has ", found.size(), " tensors instead of ", made.size());
  for (size_t i = 0; i < made.size(); ++i) {
    if (std::string text = Difference(made[i], found[i]); !text.empty()) return text;
  }
  return "its tensors are the same; operators or metadata differ";
}

}  // namespace

Expected<Bytes> FreezeAgain(const Checkpoint& checkpoint) {
  std::vector<std::string> warnings;
  QAT_ASSIGN_OR_RETURN(const Graph graph, Freeze(checkpoint, {}, warnings));
  return Serialize(graph);
}

Expected<Bytes> ConvertAgain(Graph graph, const std::string& graph_sha256, const Model& model) {
  std::vector<std::string> warnings;
  graph.provenance["graph_sha256"] = graph_sha256;
  QAT_RETURN_IF_ERROR(AppendAsIn(model, graph));
  QuantizationOptions options;
  options.scheme = SchemeOf(model);
  options.filter_precision = FilterPrecisionOf(model);
  const auto given_to = [&](size_t input) { return model.tensors()[static_cast<size_t>(model.inputs()[input])].type; };
  if (model.inputs().size() != graph.inputs.size()) {
    return Corrupt(StrCat("has ", model.inputs().size(), " inputs, the graph ", graph.inputs.size()));
  }
  const DType own = options.scheme == Scheme::kUInt8 ? DType::kUInt8
                    : options.scheme == Scheme::kInt8 ? DType::kInt8
                                                      : DType::kFloat32;
  const bool one_of_bytes = graph.inputs.size() == 1 && graph.contract.input().values == ValueType::kByte;
  if (one_of_bytes && given_to(0) == own && options.scheme != Scheme::kFloat32) options.input = InputParamsOf(model);
  QAT_RETURN_IF_ERROR(ChooseQuantization(graph, options, warnings));
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const bool bytes = graph.contract.inputs.at(i).values == ValueType::kByte;
    if (!bytes || given_to(i) != own) QAT_RETURN_IF_ERROR(SetInputType(given_to(i), i, graph));
  }
  return WriteTflite(graph, {NamesOf(model, model.inputs()), NamesOf(model, model.outputs())});
}

std::string FirstDifference(const Model& made, const Model& found) {
  return FirstDifferenceOf(made.tensors(), found.tensors());
}

std::string FirstDifference(const Graph& made, const Graph& found) {
  return FirstDifferenceOf(made.tensors, found.tensors);
}

}  // namespace qat
