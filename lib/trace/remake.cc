#include "trace/remake.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "contract/provenance.h"
#include "freeze/freeze.h"
#include "ir/range_groups.h"
#include "passes/passes.h"
#include "plan/twins.h"
#include "quant/precision.h"
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

// The operator that makes an output; none: an input is passed on.
std::optional<OpType> LastOf(const Model& model, int32_t output) {
  for (const ModelNode& node : model.nodes()) {
    if (std::find(node.outputs.begin(), node.outputs.end(), output) != node.outputs.end()) return node.type;
  }
  return std::nullopt;
}

std::optional<OpType> LastOf(const Graph& graph, int32_t output) {
  for (const GraphNode& node : graph.nodes) {
    if (std::find(node.outputs.begin(), node.outputs.end(), output) != node.outputs.end()) return node.type;
  }
  return std::nullopt;
}

// An operator after the last layer that is in the model and not in the graph was appended, to each output by itself.
Status AppendAsIn(const Model& model, Graph& graph) {
  for (size_t i = 0; i < std::min(model.outputs().size(), graph.outputs.size()); ++i) {
    const int32_t output = model.outputs()[i];
    const std::optional<OpType> last = LastOf(model, output);
    if (last == LastOf(graph, graph.outputs[i])) continue;
    if (last == OpType::kArgMax) QAT_RETURN_IF_ERROR(AppendArgMax(graph, model.tensors()[static_cast<size_t>(output)].type, i));
    if (last == OpType::kSoftmax) QAT_RETURN_IF_ERROR(AppendSoftmax(graph, i));
    if (last == OpType::kLogistic) QAT_RETURN_IF_ERROR(AppendSigmoid(graph, i));
  }
  return {};
}

const ModelTensor& TensorAt(const Model& model, const ModelNode& node, int32_t position) {
  return model.tensors()[static_cast<size_t>(node.inputs[static_cast<size_t>(position)])];
}

Precisions UsualBeside(DType activations) {
  if (activations == DType::kUInt8) return PrecisionsOf(Scheme::kUInt8);
  if (activations == DType::kInt8) return PrecisionsOf(Scheme::kInt8);
  return activations == DType::kInt16 ? *IntegersFromName("int16x8") : PrecisionsOf(Scheme::kFloat32);
}

/// By what the first operator with a filter reads (before it the values may have been of another type), and by a filter of several
/// channels: it may have one scale all the same.
Precisions PrecisionsOf(const Model& model) {
  std::optional<Precisions> precisions;
  for (const ModelNode& node : model.nodes()) {
    const OpDefinition& definition = DefinitionOf(node.type);
    if (definition.filter_input < 0) continue;
    if (!precisions) precisions = UsualBeside(TensorAt(model, node, definition.data_input).type);
    const ModelTensor& filter = TensorAt(model, node, definition.filter_input);
    const auto axis = static_cast<size_t>(definition.filter_channel_axis);
    if (filter.type != DType::kInt8 || axis >= filter.shape.size() || filter.shape[axis] < 2) continue;
    if (filter.scale.size() == 1) precisions->filters = kInt8Filters;
    break;
  }
  return precisions.value_or(UsualBeside(InputOf(model).type));
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

/// As --twins does, of the one that `type` says.
Status QuantizeTwin(const QuantizationOptions& options, DType type, Graph& graph) {
  std::vector<std::string> warnings;
  QAT_ASSIGN_OR_RETURN(QuantizationPlan plan, PlanQuantization(graph, options, warnings));
  QAT_RETURN_IF_ERROR(MatchTwinScales(graph, plan, warnings));
  ApplyPlan(plan, graph, warnings);
  graph.provenance[kTwinsKey] = kTwinTypes;
  if (type == DType::kUInt8) graph = UInt8TwinOf(graph);
  return {};
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
  const Precisions shown = PrecisionsOf(model);
  const bool twins = model.provenance().contains(kTwinsKey);
  options.precisions = twins ? *IntegersFromName("int8-per-tensor") : shown;
  const auto given_to = [&](size_t input) { return model.tensors()[static_cast<size_t>(model.inputs()[input])].type; };
  if (model.inputs().size() != graph.inputs.size()) {
    return Corrupt(StrCat("has ", model.inputs().size(), " inputs, the graph ", graph.inputs.size()));
  }
  const DType own = shown.activations.type;
  // Only 16 bits have fewer operators than what a network was trained for.
  if (own == DType::kInt16) KeepFloat(graph, own);
  if (own == DType::kInt16) SeparateFixedRanges(graph);
  const bool one_of_bytes = graph.inputs.size() == 1 && graph.contract.input().values == ValueType::kByte;
  if (one_of_bytes && given_to(0) == own && (own == DType::kUInt8 || own == DType::kInt8)) options.input = InputParamsOf(model);
  QAT_RETURN_IF_ERROR(twins ? QuantizeTwin(options, own, graph) : ChooseQuantization(graph, options, warnings));
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
