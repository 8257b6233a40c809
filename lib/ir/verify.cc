#include <cmath>
#include <cstring>
#include <set>
#include <string_view>

#include "base/strings.h"
#include "ir/graph.h"

namespace qat {
namespace {

bool IsIndex(int32_t index, size_t count) { return index >= 0 && static_cast<size_t>(index) < count; }

/// Integers that a tensor of the type can hold; false for a type that is never quantized.
bool LimitsOf(DType type, int64_t& lowest, int64_t& highest) {
  if (type == DType::kUInt8) return lowest = 0, highest = 255, true;
  if (type == DType::kInt8) return lowest = -128, highest = 127, true;
  if (type == DType::kInt4) return lowest = -8, highest = 7, true;
  if (type == DType::kInt16) return lowest = -32768, highest = 32767, true;
  if (type == DType::kInt32) return lowest = INT32_MIN, highest = INT32_MAX, true;
  if (type == DType::kInt64) return lowest = INT64_MIN, highest = INT64_MAX, true;
  return false;
}

Status VerifyQuantization(const GraphTensor& tensor) {
  const TensorQuantization& q = *tensor.quantization;
  int64_t lowest = 0;
  int64_t highest = 0;
  if (!LimitsOf(tensor.type, lowest, highest)) {
    return Corrupt(StrCat("has a scale, but its type is ", NameOf(tensor.type)));
  }
  if (q.dimension < 0 || (q.scale.size() > 1 && !IsIndex(q.dimension, tensor.shape.size()))) {
    return Corrupt(StrCat("quantized dimension is ", q.dimension, ", its shape is ", ToString(tensor.shape)));
  }
  const auto slices =
      q.scale.size() > 1 ? static_cast<size_t>(tensor.shape[static_cast<size_t>(q.dimension)]) : 1;
  if (q.scale.size() != slices || q.zero_point.size() != slices) {
    return Corrupt(StrCat("has ", q.scale.size(), " scales and ", q.zero_point.size(),
                          " zero points, expected ", slices, " of each"));
  }
  for (size_t i = 0; i < slices; ++i) {
    if (!(q.scale[i] > 0) || !std::isfinite(q.scale[i])) {
      return Corrupt(StrCat("scale[", i, "] is ", q.scale[i], ", expected a positive number"));
    }
    if (q.zero_point[i] < lowest || q.zero_point[i] > highest) {
      return Corrupt(StrCat("zero_point[", i, "] is ", q.zero_point[i], ", which ", NameOf(tensor.type),
                            " does not hold"));
    }
  }
  return {};
}

/// Constants that are not numbers, or overflowed, are a network that diverged.
Status VerifyFinite(const GraphTensor& tensor) {
  for (size_t at = 0; at < tensor.data.size(); at += sizeof(float)) {
    float value;
    std::memcpy(&value, &tensor.data[at], sizeof(value));
    if (!std::isfinite(value))
      return Numerical(StrCat("value ", at / sizeof(float), " is ", value, ", expected finite numbers"));
  }
  return {};
}

Status VerifyRange(const GraphTensor& tensor) {
  const Range& r = tensor.range;
  if (!std::isfinite(r.max - r.min))
    return Numerical(StrCat("range is [", r.min, ", ", r.max, "], expected finite ends and width"));
  if (!(r.min <= 0 && r.max >= 0))
    return Corrupt(StrCat("range is [", r.min, ", ", r.max, "], expected ends around 0"));
  const QuantizedLimits& limits = tensor.limits;
  if (limits.quant_min >= limits.quant_max || limits.quant_min < -32768 || limits.quant_max > 32767) {
    return Corrupt(StrCat("integer range is [", limits.quant_min, ", ", limits.quant_max,
                          "], expected one of uint8, int8 or int16"));
  }
  return {};
}

Status VerifyTensor(const GraphTensor& tensor) {
  const int64_t count = CheckedFlatSize(tensor.shape);
  if (count < 1) return Corrupt(StrCat("shape is ", ToString(tensor.shape), ", expected positive sizes"));
  if (BitsOf(tensor.type) == 0) return Corrupt(StrCat("type is ", int{static_cast<int8_t>(tensor.type)}));
  const size_t bytes = (static_cast<size_t>(count) * BitsOf(tensor.type) + 7) / 8;
  if (tensor.is_constant() && tensor.data.size() != bytes) {
    return Corrupt(StrCat("holds ", tensor.data.size(), " bytes, ", NameOf(tensor.type), " ",
                          ToString(tensor.shape), " takes ", bytes));
  }
  if (tensor.type == DType::kFloat32) QAT_RETURN_IF_ERROR(VerifyFinite(tensor));
  if (tensor.has_range) QAT_RETURN_IF_ERROR(VerifyRange(tensor));
  return tensor.quantization.has_value() ? VerifyQuantization(tensor) : Status();
}

/// What a tensor of this form of a graph must not have.
Status VerifyForm(const GraphTensor& tensor, GraphForm form) {
  if (form == GraphForm::kFrozen)
    return tensor.trained ? Corrupt("has no values, expected a frozen graph") : Status();
  if (tensor.has_range || tensor.quantization)
    return Corrupt("has a range or a scale, which a graph to be trained has not");
  if (!tensor.trained) return {};
  if (tensor.is_constant()) return Corrupt("is to be trained and has values already");
  if (tensor.type != DType::kFloat32) return Corrupt(StrCat("is to be trained and is ", NameOf(tensor.type)));
  const Initializer& start = tensor.trained->initializer;
  if (!std::isfinite(start.stddev) || start.stddev < 0 || !std::isfinite(start.value) ||
      start.kind > Initializer::Kind::kConstant || tensor.trained->role > ParameterSpec::Role::kSlope) {
    return Corrupt("has an initializer or a role that this build does not know");
  }
  const bool by_fan =
      start.kind == Initializer::Kind::kHeNormal || start.kind == Initializer::Kind::kGlorotUniform;
  if (by_fan && (tensor.trained->fan_in < 1 || tensor.trained->fan_out < 1))
    return Corrupt(StrCat("starts by its ", tensor.trained->fan_in, " inputs and ", tensor.trained->fan_out,
                          " outputs, expected positive numbers"));
  return {};
}

Status VerifyTensors(const Graph& graph) {
  std::set<std::string_view> names;
  for (const GraphTensor& tensor : graph.tensors) {
    if (tensor.name.empty()) return Corrupt("a tensor has no name");
    QAT_RETURN_IF_ERROR_IN(StrCat("tensor '", tensor.name, "'"), VerifyForm(tensor, graph.form));
    QAT_RETURN_IF_ERROR_IN(StrCat("tensor '", tensor.name, "'"), VerifyTensor(tensor));
    if (!names.insert(tensor.name).second)
      return Corrupt(StrCat("tensor '", tensor.name, "' is there twice"));
  }
  return {};
}

/// Number, shapes and type of the node's outputs, as its operator says.
Status VerifyOutputs(const Graph& graph, const GraphNode& node) {
  const OpDefinition& definition = DefinitionOf(node.type);
  const std::vector<Operand> operands = graph.OperandsOf(node);
  const auto shapes = InferShapes(definition, node.attributes, operands);
  if (!shapes.ok()) return Corrupt(shapes.error().message);
  if (shapes->size() != node.outputs.size()) {
    return Corrupt(StrCat("has ", node.outputs.size(), " outputs, expected ", shapes->size()));
  }
  const DType type = OutputType(definition, node.attributes, operands);
  for (size_t i = 0; i < shapes->size(); ++i) {
    const GraphTensor& output = graph.tensor(node.outputs[i]);
    if ((*shapes)[i] != output.shape) {
      return Corrupt(StrCat("tensor '", output.name, "' is ", ToString(output.shape), ", expected ",
                            ToString((*shapes)[i])));
    }
    // Reals become integers, or integers others, where a quantize node says so.
    const bool quantizes = node.type == OpType::kQuantize && output.quantization.has_value();
    if (type != output.type && !quantizes) {
      return Corrupt(
          StrCat("tensor '", output.name, "' is ", NameOf(output.type), ", expected ", NameOf(type)));
    }
  }
  return {};
}

/// Type that a filter or a bias has beside a data input of type `data`.
DType ParameterType(DType data, bool bias) {
  if (data == DType::kFloat32) return data;
  if (data == DType::kInt16) return bias ? DType::kInt64 : DType::kInt8;
  return bias ? DType::kInt32 : data;
}

/// Filters of 4 bits lie packed, beside activations of int8.
bool IsFourBitFilter(const GraphTensor& filter, DType data) {
  return data == DType::kInt8 && filter.is_constant() && filter.type == DType::kInt4 &&
         filter.quantization.has_value();
}

/// A filter in 8 or 4 bits beside real data: "dynamic range".
bool IsHybridFilter(const GraphTensor& filter, DType data) {
  const bool narrow = filter.type == DType::kInt8 || filter.type == DType::kInt4;
  return data == DType::kFloat32 && filter.is_constant() && narrow && filter.quantization.has_value();
}

/// Halves that a converter stored in place of a float32 constant.
bool WidensAConstant(const Graph& graph, const GraphNode& node) {
  if (node.type != OpType::kDequantize || node.inputs.size() != 1 ||
      !IsIndex(node.inputs[0], graph.tensors.size()))
    return false;
  const GraphTensor& input = graph.tensor(node.inputs[0]);
  return input.is_constant() && input.type == DType::kFloat16;
}

/// Tensors that WidensAConstant is true for.
std::set<int32_t> Widened(const Graph& graph) {
  std::set<int32_t> widened;
  for (const GraphNode& node : graph.nodes) {
    if (WidensAConstant(graph, node)) widened.insert(node.outputs.begin(), node.outputs.end());
  }
  return widened;
}

/// Filter and bias are constants of the data's type.
Status VerifyInputTypes(const Graph& graph, const GraphNode& node, const std::set<int32_t>& widened) {
  if (WidensAConstant(graph, node)) return {};
  const OpDefinition& definition = DefinitionOf(node.type);
  const DType data = graph.tensor(node.inputs[static_cast<size_t>(definition.data_input)]).type;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const GraphTensor& input = graph.tensor(node.inputs[i]);
    const auto position = static_cast<int32_t>(i);
    const bool bias = position == definition.bias_input, filter = position == definition.filter_input;
    const bool constant =
        input.is_constant() || input.trained.has_value() || widened.contains(node.inputs[i]);
    if (filter && (IsHybridFilter(input, data) || IsFourBitFilter(input, data))) continue;
    if ((filter || bias) && (!constant || input.type != ParameterType(data, bias))) {
      return Corrupt(StrCat(filter ? "filter" : "bias", " '", input.name, "' is ",
                            constant ? NameOf(input.type) : "computed", ", expected constants of ",
                            NameOf(ParameterType(data, bias))));
    }
  }
  return {};
}

/// A batch normalization has a filter before it and no bias beside it; its tensors are trained, one value for
/// each channel.
Status VerifyBatchNorm(const Graph& graph, const GraphNode& node) {
  if (!node.batch_norm) return {};
  const OpDefinition& definition = node.definition();
  const FusedBatchNorm& norm = *node.batch_norm;
  if (graph.form == GraphForm::kFrozen) return Corrupt("has a batch normalization, expected a frozen graph");
  if (definition.filter_input < 0)
    return Corrupt(StrCat("has a batch normalization, but ", definition.name, " has no filter"));
  if (definition.bias_input >= 0 && static_cast<size_t>(definition.bias_input) < node.inputs.size())
    return Corrupt("has a bias and a batch normalization");
  if (!(norm.epsilon > 0) || !std::isfinite(norm.epsilon) || !(norm.momentum >= 0 && norm.momentum < 1))
    return Corrupt(StrCat("batch normalization has epsilon ", norm.epsilon, " and momentum ", norm.momentum));
  const Shape& filter = graph.tensor(node.inputs[static_cast<size_t>(definition.filter_input)]).shape;
  const auto axis = static_cast<size_t>(definition.filter_channel_axis);
  using Role = ParameterSpec::Role;
  const std::pair<int32_t, Role> parts[] = {{norm.gamma, Role::kGamma},
                                            {norm.beta, Role::kBeta},
                                            {norm.moving_mean, Role::kMovingMean},
                                            {norm.moving_variance, Role::kMovingVariance}};
  for (const auto& [index, role] : parts) {
    if (!IsIndex(index, graph.tensors.size()))
      return Corrupt(StrCat("batch normalization reads tensor ", index));
    const GraphTensor& tensor = graph.tensor(index);
    if (!tensor.trained || tensor.trained->role != role || axis >= filter.size() ||
        tensor.shape != Shape{filter[axis]})
      return Corrupt(StrCat("batch normalization reads '", tensor.name, "' of shape ", ToString(tensor.shape),
                            ", expected what it trains, one value for each of the channels of ",
                            ToString(filter)));
  }
  return {};
}

/// `ready` marks the tensors that exist before the node runs; its outputs join them.
Status VerifyNode(const Graph& graph, const GraphNode& node, const std::set<int32_t>& widened,
                  std::vector<bool>& ready) {
  const OpDefinition& definition = DefinitionOf(node.type);
  const auto count = static_cast<int32_t>(node.inputs.size());
  const bool trains_only = definition.builtin_code < 0;
  if (trains_only && (graph.form == GraphForm::kFrozen || node.type == OpType::kBatchNorm))
    return Corrupt(StrCat(definition.name, graph.form == GraphForm::kFrozen ? " exists in training only"
                                                                            : " is no node of its own"));
  if (!trains_only && definition.version == nullptr)
    return Corrupt(StrCat(definition.name, " is not written to models"));
  if (count < definition.min_inputs || count > definition.max_inputs) {
    return Corrupt(StrCat("has ", count, " inputs, ", definition.name, " takes ", definition.min_inputs,
                          " to ", definition.max_inputs));
  }
  for (int32_t index : node.inputs) {
    if (!IsIndex(index, ready.size())) return Corrupt(StrCat("reads tensor ", index, " of ", ready.size()));
    if (!ready[static_cast<size_t>(index)]) {
      return Corrupt(StrCat("reads tensor '", graph.tensor(index).name, "' before it is computed"));
    }
  }
  QAT_RETURN_IF_ERROR(VerifyInputTypes(graph, node, widened));
  QAT_RETURN_IF_ERROR(VerifyBatchNorm(graph, node));
  for (int32_t output : node.outputs) {
    if (!IsIndex(output, ready.size()))
      return Corrupt(StrCat("writes tensor ", output, " of ", ready.size()));
    if (ready[static_cast<size_t>(output)]) {
      return Corrupt(StrCat("writes tensor '", graph.tensor(output).name, "', which has a value already"));
    }
    ready[static_cast<size_t>(output)] = true;
  }
  return VerifyOutputs(graph, node);
}

Status VerifyInputs(const Graph& graph, std::vector<bool>& ready) {
  if (graph.inputs.empty() || graph.outputs.empty()) return Corrupt("has no input or no output");
  for (int32_t index : graph.inputs) {
    if (!IsIndex(index, ready.size()))
      return Corrupt(StrCat("input is tensor ", index, " of ", ready.size()));
    if (ready[static_cast<size_t>(index)]) {
      return Corrupt(StrCat("input '", graph.tensor(index).name, "' is a constant or there twice"));
    }
    ready[static_cast<size_t>(index)] = true;
  }
  for (int32_t index : graph.inputs) {
    const GraphTensor& each = graph.tensor(index);
    if (each.type != DType::kFloat32 && !each.quantization.has_value())
      return Corrupt(StrCat("input '", each.name, "' is ", NameOf(each.type), ", expected real numbers"));
  }
  if (graph.form == GraphForm::kTrainable) return {};  // the data decide on the contract
  QAT_RETURN_IF_ERROR(Validate(graph.contract));
  if (graph.contract.inputs.size() != graph.inputs.size()) {
    return Corrupt(StrCat("has ", graph.inputs.size(), graph.inputs.size() == 1 ? " input" : " inputs",
                          ", its contract ", graph.contract.inputs.size()));
  }
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const InputContract& c = graph.contract.inputs[i];
    const GraphTensor& input = graph.tensor(graph.inputs[i]);
    if (input.shape == c.NetworkShape() || input.shape == c.DataShape()) continue;
    return Corrupt(
        StrCat("input '", input.name, "' is ", ToString(input.shape), ", its contract says ", Describe(c)));
  }
  return {};
}

}  // namespace

Status Verify(const Graph& graph) {
  QAT_RETURN_IF_ERROR(VerifyTensors(graph));
  std::vector<bool> ready;
  for (const GraphTensor& tensor : graph.tensors) ready.push_back(tensor.is_constant() || tensor.trained);
  QAT_RETURN_IF_ERROR(VerifyInputs(graph, ready));
  const std::set<int32_t> widened = Widened(graph);
  for (const GraphNode& node : graph.nodes) {
    QAT_RETURN_IF_ERROR_IN(StrCat("node '", node.name, "'"), VerifyNode(graph, node, widened, ready));
  }
  for (size_t i = 0; i < ready.size(); ++i) {
    if (!ready[i]) return Corrupt(StrCat("tensor '", graph.tensors[i].name, "' is computed by no node"));
  }
  for (int32_t index : graph.outputs) {
    if (!IsIndex(index, ready.size()))
      return Corrupt(StrCat("output is tensor ", index, " of ", ready.size()));
  }
  return {};
}

}  // namespace qat
