#include "convert/rewrites.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/join_some.h"
#include "base/matching_names.h"
#include "base/named_lists.h"
#include "base/strings.h"
#include "ir/range_groups.h"
#include "ops/integer_kernels.h"
#include "passes/passes.h"

namespace qat {
namespace {

constexpr std::string_view kOutputType = "`output_type`";

/// Layers that a flag (a regular expression) or a list of the plan names.
Expected<std::set<std::string>> NamedLayers(std::string_view flag, const std::string& expression,
                                            const std::string& plan_place,
                                            const std::vector<std::string>& by_plan, const Graph& graph) {
  std::set<std::string> named;
  std::vector<std::string> names;
  for (const GraphNode& node : graph.nodes) names.push_back(node.name);
  for (const std::string& name : by_plan) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      return InvalidArgument(StrCat(plan_place, ": ", UnknownName("layer", name, names)));
    named.insert(name);
  }
  if (expression.empty()) return named;
  QAT_ASSIGN_OR_RETURN_IN(flag, const std::vector<std::string> matching, MatchingNames(expression, names));
  named.insert(matching.begin(), matching.end());
  return named;
}

/// "float32", "uint8", "int8" or "int16", the classic converter's names included.
Expected<DType> ParseBorderType(std::string_view flag, const std::string& text) {
  std::string type = LowerCase(text);
  if (type.starts_with("quantized_")) type = type.substr(10);
  if (type == "float") type = "float32";
  for (const DType known : {DType::kFloat32, DType::kUInt8, DType::kInt8, DType::kInt16}) {
    if (type == NameOf(known)) return known;
  }
  return InvalidArgument(
      StrCat(flag, ": value '", text, "', expected float32, uint8, int8 or int16, or one for each ",
             flag == "`input_type`" ? "input" : "output", ", as left=uint8,right=float32"));
}

/// "NAME=…" of a flag that may have something for each input or output. Errors: kInvalidArgument, for names
/// that none has.
Expected<std::map<std::string, std::string>> ByName(std::string_view flag, const std::string& text,
                                                    std::string_view what,
                                                    const std::vector<std::string>& known) {
  const auto lists = ParseNamedLists(text);
  if (!lists)
    return InvalidArgument(
        StrCat(flag, ": value '", text, "', expected NAME=VALUE for each ", what, ", separated by commas"));
  for (const auto& [name, value] : *lists) {
    if (std::find(known.begin(), known.end(), name) != known.end() && known.size() > 1) continue;
    return InvalidArgument(StrCat(flag, ": names the ", what, " '", name, "', expected ",
                                  known.size() > 1 ? Join(known) : StrCat("no name: there is one ", what)));
  }
  return *lists;
}

Status AppendTo(size_t index, const std::string& asked, const ConversionRequest& request, Graph& graph) {
  const std::string append = LowerCase(asked);
  if (append == "none") return {};
  if (append == "softmax") return AppendSoftmax(graph, index);
  if (append == "sigmoid") return AppendSigmoid(graph, index);
  if (append != "argmax" && append != "arg_max" && append != "arg-max")
    return InvalidArgument(StrCat("value '", asked, "', expected none, softmax, argmax or sigmoid"));
  return AppendArgMax(graph, request.argmax_type == "int32" ? DType::kInt32 : DType::kInt64, index);
}

// One constant is either integers or real numbers: the steps of a recurrent layer have one filter.
Status CheckSharedFilters(const Graph& graph, const std::set<std::string>& kept) {
  struct Readers {
    std::vector<std::string> kept, others;
  };
  std::map<int32_t, Readers> of_filter;
  for (const GraphNode& node : graph.nodes) {
    const int32_t filter = node.InputAt(node.definition().filter_input);
    if (filter < 0 || !graph.tensor(filter).is_constant()) continue;
    Readers& readers = of_filter[filter];
    (kept.contains(node.name) ? readers.kept : readers.others).push_back(node.name);
  }
  for (const auto& [filter, readers] : of_filter) {
    if (readers.kept.empty() || readers.others.empty()) continue;
    return InvalidArgument(StrCat("`keep_float`: chooses ", JoinSome(readers.kept, 3),
                                  ", which share the filter '", graph.tensor(filter).name, "' with ",
                                  JoinSome(readers.others, 3), "; expected all of them or none"));
  }
  return {};
}

}  // namespace

Expected<std::vector<std::string>> KeepFloatAsAsked(Conversion& c) {
  if (c.type.is_real()) {
    if (c.request.keep_float.empty()) return std::vector<std::string>();
    return InvalidArgument(
        StrCat("`keep_float`: chooses layers of an integer model, expected one of `type` ", IntegerNames()));
  }
  QAT_ASSIGN_OR_RETURN(
      const std::set<std::string> names,
      NamedLayers("`keep_float`", c.request.keep_float, StrCat(c.plan_source, ": keep_float"),
                  c.plan ? c.plan->keep_float : std::vector<std::string>(), c.graph()));
  const DType activations = c.type.precisions.activations.type;
  const bool trained_for = activations == DType::kUInt8 || activations == DType::kInt8;
  if (c.data == nullptr && names.empty() && !c.plan && trained_for) return std::vector<std::string>();
  QAT_RETURN_IF_ERROR(CheckSharedFilters(c.graph(), names));
  const KeptFloat kept = KeepFloat(c.graph(), activations, names);
  SeparateFixedRanges(c.graph());
  if (!kept.must.empty())
    c.warnings.push_back(StrCat("no kernel of TFLite computes ", Join(kept.must), " on ", NameOf(activations),
                                ": computed in float32, between DEQUANTIZE and QUANTIZE"));
  if (!kept.asked.empty())
    c.Note(StrCat("computed in float32, between DEQUANTIZE and QUANTIZE, as asked: ", Join(kept.asked)));
  return kept.asked;
}

Expected<Int16Layers> KeepInt16AsAsked(Conversion& c) {
  if (c.request.int16.empty() && !(c.plan && !c.plan->int16.empty())) return Int16Layers();
  if (c.type.is_real() || c.type.precisions.activations.type != DType::kInt8)
    return InvalidArgument(
        "`int16`: chooses layers beside activations of int8, expected `type` int8, int8-per-tensor or w4a8 "
        "(int16x8: all of them)");
  if (c.twins)
    return InvalidArgument("`int16`: not beside `twins`: TFLite has no QUANTIZE from uint8 to int16");
  QAT_ASSIGN_OR_RETURN(const std::set<std::string> names,
                       NamedLayers("`int16`", c.request.int16, StrCat(c.plan_source, ": int16"),
                                   c.plan ? c.plan->int16 : std::vector<std::string>(), c.graph()));
  std::vector<PlacedOp> ops;
  for (const GraphNode& node : c.graph().nodes) {
    if (names.contains(node.name)) ops.push_back({node.name, node.type});
  }
  for (const std::string& name : c.kept_float) {
    if (names.contains(name))
      return InvalidArgument(
          StrCat("`int16`: layer '", name, "' is to compute real numbers too; expected one of both"));
  }
  QAT_RETURN_IF_ERROR_IN("`int16`", ExpectIntegerKernels(ops, DType::kInt16));
  Int16Layers layers = {{names.begin(), names.end()}, KeepInt16(c.graph(), names)};
  SeparateFixedRanges(c.graph());
  c.Note(StrCat("computed with 16-bit activations, between QUANTIZE nodes, as asked: ",
                JoinSome(layers.named, 12)));
  return layers;
}

Status AppendAsAsked(const ConversionRequest& request, Graph& graph) {
  constexpr std::string_view kFlag = "`append`";
  if (request.argmax_type != "int32" && request.argmax_type != "int64")
    return InvalidArgument(
        StrCat("`argmax_type`: value '", request.argmax_type, "', expected int32 or int64"));
  std::vector<std::string> known;
  for (const int32_t output : graph.outputs) known.push_back(graph.tensor(output).name);
  if (HasNames(request.append)) {
    QAT_ASSIGN_OR_RETURN(const auto by_output, ByName(kFlag, request.append, "output", known));
    for (size_t i = 0; i < known.size(); ++i) {
      const auto own = by_output.find(known[i]);
      if (own != by_output.end()) QAT_RETURN_IF_ERROR_IN(kFlag, AppendTo(i, own->second, request, graph));
    }
    return {};
  }
  if (known.size() > 1 && LowerCase(request.append) != "none") {
    return InvalidArgument(StrCat(kFlag, ": value '", request.append,
                                  "', expected an operator by output, as ", known[0], "=", request.append,
                                  ": the network has ", known.size(), " outputs: ", Join(known)));
  }
  QAT_RETURN_IF_ERROR_IN(kFlag, AppendTo(0, request.append, request, graph));
  return {};
}

Status SetInputAsAsked(const ConversionRequest& request, Graph& graph) {
  constexpr std::string_view kFlag = "`input_type`";
  const std::string asked = HasNames(request.input_type) ? "" : request.input_type;
  std::map<std::string, std::string> by_input;
  if (HasNames(request.input_type)) {
    std::vector<std::string> known;
    for (const InputContract& input : graph.contract.inputs) known.push_back(input.name);
    QAT_ASSIGN_OR_RETURN(by_input, ByName(kFlag, request.input_type, "input", known));
  }
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const InputContract& input = graph.contract.inputs[i];
    const auto own = by_input.find(input.name);
    std::string type = own == by_input.end() ? asked : own->second;
    if (type.empty() && input.values == ValueType::kByte) continue;
    if (type.empty()) type = "float32";
    QAT_ASSIGN_OR_RETURN(const DType element, ParseBorderType(kFlag, type));
    QAT_RETURN_IF_ERROR_IN(kFlag, SetInputType(element, i, graph));
  }
  return {};
}

Expected<std::vector<std::optional<DType>>> OutputTypesAsAsked(const ConversionRequest& request,
                                                               const Graph& graph) {
  std::vector<std::optional<DType>> types(graph.outputs.size());
  if (request.output_type.empty()) return types;
  std::map<std::string, std::string> by_output;
  if (HasNames(request.output_type)) {
    std::vector<std::string> known;
    for (const int32_t output : graph.outputs) known.push_back(graph.tensor(output).name);
    QAT_ASSIGN_OR_RETURN(by_output, ByName(kOutputType, request.output_type, "output", known));
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const auto own = by_output.find(graph.tensor(graph.outputs[i]).name);
    if (HasNames(request.output_type) && own == by_output.end()) continue;
    QAT_ASSIGN_OR_RETURN(
        types[i], ParseBorderType(kOutputType, own == by_output.end() ? request.output_type : own->second));
  }
  return types;
}

Status SetOutputAsAsked(const ConversionRequest& request, Graph& graph) {
  QAT_ASSIGN_OR_RETURN(const auto types, OutputTypesAsAsked(request, graph));
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i]) QAT_RETURN_IF_ERROR_IN(kOutputType, SetOutputType(*types[i], i, graph));
  }
  return {};
}

Status SetLayoutAsAsked(const Conversion& c, Graph& graph) {
  if (LowerCase(c.request.input_layout) != "nchw") return {};
  std::vector<std::string> turned;
  int transposes = 0;
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    if (!c.network.moved_inputs[i]) continue;
    transposes += TakeChannelsFirst(i, graph);
    const GraphTensor& input = graph.tensor(graph.inputs[i]);
    turned.push_back(StrCat("'", input.name, "' ", ToString(input.shape)));
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    // Indices have no channels any more.
    const DType type = graph.tensor(graph.outputs[i]).type;
    if (!c.network.moved_outputs[i] || type == DType::kInt32 || type == DType::kInt64) continue;
    transposes += GiveChannelsFirst(i, graph);
    const GraphTensor& output = graph.tensor(graph.outputs[i]);
    turned.push_back(StrCat("'", output.name, "' ", ToString(output.shape)));
  }
  if (!turned.empty())
    c.Note(StrCat("channels are first, as in the source: ", JoinSome(turned, 6), "; ", transposes,
                  transposes == 1 ? " transpose was added" : " transposes were added"));
  return {};
}

}  // namespace qat
