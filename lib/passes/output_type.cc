#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/strings.h"
#include "ir/free_name.h"
#include "ir/output_source.h"
#include "ops/integer_kernels.h"
#include "passes/passes.h"
#include "quant/precision.h"

namespace qat {
namespace {

bool IsByte(DType type) { return type == DType::kUInt8 || type == DType::kInt8; }
bool IsReal(const GraphTensor& tensor) {
  return tensor.type == DType::kFloat32 || tensor.quantization.has_value();
}

/// What an output of `from` is in `type`: bytes are 128 apart; else by what fixes the range, by the range
/// itself, by what the integers can hold.
/// Errors: kNumerical, for a range around 0 that float32 cannot divide.
Expected<QuantizationParams> ParamsAs(DType type, const Graph& graph, int32_t index) {
  constexpr int32_t kApart = 128;
  const GraphTensor& from = graph.tensor(index);
  const QuantizationParams own = from.quantization->params();
  if (IsByte(type) && IsByte(from.type))
    return QuantizationParams{own.scale, own.zero_point + (type == DType::kUInt8 ? kApart : -kApart)};
  const GraphNode* producer = ProducerOf(graph, index);
  if (producer != nullptr && producer->definition().output_quantization == OutputQuantization::kFixed)
    return FixedParamsOf(producer->definition().fixed_uint8, type);
  const Range held = RepresentableRange(own, LimitsOf(ActivationsOf(from.type)));
  const Precision wanted = ActivationsOf(type);
  const Range range = RangeFor(wanted, from.has_range ? from.range : held);
  if (std::isfinite(range.max - range.min)) return NudgedParams(range, LimitsOf(wanted));
  return Numerical(StrCat("output '", from.name, "' as ", NameOf(type), " needs the range [", range.min, ", ",
                          range.max, "], which is wider than float32 can tell; the training diverged"));
}

Status ExpectConvertible(DType type, const GraphTensor& output) {
  if (type != DType::kFloat32 && type != DType::kInt16 && !IsByte(type))
    return InvalidArgument(
        StrCat("the output cannot be ", NameOf(type), ", expected float32, uint8, int8 or int16"));
  if (!IsReal(output))
    return Unsupported(StrCat("output '", output.name, "' is ", NameOf(output.type),
                              ", indices and not real numbers, so it cannot be ", NameOf(type)));
  if (output.type == DType::kFloat32)
    return Unsupported(StrCat("output '", output.name, "' is float32, so it cannot be ", NameOf(type),
                              ": the outputs of an integer model can be either"));
  if (type == DType::kUInt8 && output.type == DType::kInt16)
    return Unsupported(StrCat("TFLite makes no uint8 of int16, so output '", output.name,
                              "' cannot be uint8; int8 and float32 can be"));
  return {};
}

/// A node at the end that says the same in another type is taken off: what it reads becomes the output, under
/// its name.
void TakeOffLastChange(size_t index, Graph& graph) {
  const int32_t output = graph.outputs[index];
  const GraphNode* node = ProducerOf(graph, output);
  if (node == nullptr || (node->type != OpType::kDequantize && node->type != OpType::kQuantize)) return;
  const int32_t source = node->inputs[0];
  const GraphTensor& from = graph.tensor(source);
  if (from.is_constant() || !from.quantization) return;
  const auto is_change = [&] {
    const auto params = ParamsAs(graph.tensor(output).type, graph, source);
    return params.ok() && *params == graph.tensor(output).quantization->params();
  };
  const bool apart = node->type == OpType::kDequantize || is_change();
  const auto is_read = [&](int32_t tensor) {
    return std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const GraphNode& reader) {
      return std::find(reader.inputs.begin(), reader.inputs.end(), tensor) != reader.inputs.end();
    });
  };
  const bool is_border = std::count(graph.outputs.begin(), graph.outputs.end(), source) > 0 ||
                         std::count(graph.inputs.begin(), graph.inputs.end(), source) > 0;
  if (!apart || is_read(output) || is_border) return;
  std::swap(graph.tensor(output).name, graph.tensor(source).name);
  graph.outputs[index] = source;
  std::erase_if(graph.nodes, [&](const GraphNode& each) { return each.outputs[0] == output; });
}

/// A last layer that computes real numbers gives them, not the ones that the integers of the QUANTIZE behind
/// it stand for; it goes where nothing else reads it.
void GiveReals(size_t index, Graph& graph) {
  const int32_t output = graph.outputs[index];
  const GraphNode* node = ProducerOf(graph, output);
  if (node == nullptr || node->type != OpType::kQuantize) return;
  const int32_t real = node->inputs[0];
  const auto is_border = [&](int32_t tensor) {
    return std::count(graph.outputs.begin(), graph.outputs.end(), tensor) > 0 ||
           std::count(graph.inputs.begin(), graph.inputs.end(), tensor) > 0;
  };
  const GraphTensor& from = graph.tensor(real);
  if (from.is_constant() || from.type != DType::kFloat32 || is_border(real)) return;
  std::swap(graph.tensor(output).name, graph.tensor(real).name);
  graph.outputs[index] = real;
  const bool is_read = std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const GraphNode& reader) {
    return std::find(reader.inputs.begin(), reader.inputs.end(), output) != reader.inputs.end();
  });
  if (is_read || is_border(output)) return;
  std::erase_if(graph.nodes, [&](const GraphNode& each) { return each.outputs[0] == output; });
}

}  // namespace

Status SetOutputType(DType type, size_t index, Graph& graph) {
  if (graph.tensor(graph.outputs.at(index)).type == type) return {};
  Graph changed = graph;
  TakeOffLastChange(index, changed);
  if (type == DType::kFloat32) GiveReals(index, changed);
  const int32_t output = changed.outputs[index];
  GraphTensor last = changed.tensor(output);
  if (last.type != type) {
    QAT_RETURN_IF_ERROR(ExpectConvertible(type, last));
    last.type = type;
    last.quantization.reset();
    if (type != DType::kFloat32) {
      QAT_ASSIGN_OR_RETURN(const QuantizationParams params, ParamsAs(type, changed, output));
      last.quantization = TensorQuantization::PerTensor(params);
    }
    changed.tensor(output).name = FreeName(changed, StrCat(last.name, "/integers"));
    GraphNode node;
    node.type = type == DType::kFloat32 ? OpType::kDequantize : OpType::kQuantize;
    node.name = last.name;
    node.attributes = DefinitionOf(node.type).default_attributes;
    node.inputs = {output};
    node.outputs = {changed.AddTensor(std::move(last))};
    changed.outputs[index] = node.outputs[0];
    changed.nodes.push_back(std::move(node));
  }
  RemoveUnusedTensors(changed);
  graph = std::move(changed);
  return {};
}

}  // namespace qat
