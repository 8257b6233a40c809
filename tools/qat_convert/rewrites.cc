#include "rewrites.h"

#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "base/join_some.h"
#include "base/log.h"
#include "base/named_lists.h"
#include "base/strings.h"
#include "ir/range_groups.h"
#include "ops/integer_kernels.h"
#include "passes/passes.h"

namespace qat {
namespace {

constexpr std::string_view kOutputType = "--output-type";

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
  std::optional<std::regex> pattern;
  try {
    pattern.emplace(expression);
  } catch (const std::regex_error& error) {
    return InvalidArgument(
        StrCat(flag, ": value '", expression, "' is no regular expression (", error.what(), ")"));
  }
  const size_t before = named.size();
  for (const std::string& name : names) {
    if (std::regex_match(name, *pattern)) named.insert(name);
  }
  if (named.size() > before) return named;
  return InvalidArgument(
      StrCat(flag, ": no layer has a name that '", expression,
             "' describes from its beginning to its end, expected one of: ", JoinSome(names, 12)));
}

/// "float32", "uint8", "int8" or "int16", the classic converter's names included.
Expected<DType> ParseBorderType(std::string_view flag, const std::string& text) {
  std::string type = LowerCase(text);
  if (type.starts_with("quantized_")) type = type.substr(10);
  if (type == "float") type = "float32";
  for (const DType known : {DType::kFloat32, DType::kUInt8, DType::kInt8, DType::kInt16}) {
    if (type == NameOf(known)) return known;
  }
  return InvalidArgument(StrCat(flag, ": value '", text, "', expected float32, uint8, int8 or int16, or one for each ",
                                flag == "--input-type" ? "input" : "output", ", as left=uint8,right=float32"));
}

/// "NAME=…" of a flag that may have something for each input or output. Errors: kInvalidArgument, for names that none has.
Expected<std::map<std::string, std::string>> ByName(std::string_view flag, const std::string& text, std::string_view what,
                                                    const std::vector<std::string>& known) {
  const auto lists = ParseNamedLists(text);
  if (!lists)
    return InvalidArgument(StrCat(flag, ": value '", text, "', expected NAME=VALUE for each ", what, ", separated by commas"));
  for (const auto& [name, value] : *lists) {
    if (std::find(known.begin(), known.end(), name) != known.end() && known.size() > 1) continue;
    return InvalidArgument(
        StrCat(flag, ": names the ", what, " '", name, "', expected ",
               known.size() > 1 ? Join(known) : StrCat("no name: there is one ", what)));
  }
  return *lists;
}

Status AppendTo(size_t index, const std::string& asked, const ConvertFlags& flags, Graph& graph) {
  const std::string append = LowerCase(asked);
  if (append == "none") return {};
  if (append == "softmax") return AppendSoftmax(graph, index);
  if (append == "sigmoid") return AppendSigmoid(graph, index);
  if (append != "argmax" && append != "arg_max" && append != "arg-max")
    return InvalidArgument(StrCat("value '", asked, "', expected none, softmax, argmax or sigmoid"));
  return AppendArgMax(graph, flags.argmax_type == "int32" ? DType::kInt32 : DType::kInt64, index);
}

}  // namespace

Expected<std::vector<std::string>> KeepFloatAsAsked(const ConvertFlags& flags,
                                                    const std::optional<PlanChoices>& plan,
                                                    const ModelType& type,
                                                    Graph& graph, Report& report) {
  if (type.is_real()) {
    if (flags.keep_float.empty()) return std::vector<std::string>();
    return InvalidArgument(
        StrCat("--keep-float: chooses layers of an integer model, expected one of --type ", IntegerNames()));
  }
  QAT_ASSIGN_OR_RETURN(const std::set<std::string> names,
                       NamedLayers("--keep-float", flags.keep_float, StrCat(flags.plan, ": keep_float"),
                                   plan ? plan->keep_float : std::vector<std::string>(), graph));
  const DType activations = type.precisions.activations.type;
  const bool trained_for = activations == DType::kUInt8 || activations == DType::kInt8;
  if (flags.calibrate.empty() && names.empty() && !plan && trained_for) return std::vector<std::string>();
  const KeptFloat kept = KeepFloat(graph, activations, names);
  SeparateFixedRanges(graph);
  if (!kept.must.empty())
    report.warnings.push_back(StrCat("no kernel of TFLite computes ", Join(kept.must), " on ", NameOf(activations),
                                     ": computed in float32, between DEQUANTIZE and QUANTIZE"));
  if (!kept.asked.empty())
    LogInfo(StrCat("computed in float32, between DEQUANTIZE and QUANTIZE, as asked: ", Join(kept.asked)));
  return kept.asked;
}

Expected<Int16Layers> KeepInt16AsAsked(const ConvertFlags& flags, const std::optional<PlanChoices>& plan,
                                       const ModelType& type, const std::vector<std::string>& kept_float,
                                       Graph& graph) {
  if (flags.int16.empty() && !(plan && !plan->int16.empty())) return Int16Layers();
  if (type.is_real() || type.precisions.activations.type != DType::kInt8)
    return InvalidArgument(
        "--int16: chooses layers beside activations of int8, expected --type int8, int8-per-tensor or w4a8 "
        "(int16x8: all of them)");
  if (!flags.twins.empty())
    return InvalidArgument("--int16: not beside --twins: TFLite has no QUANTIZE from uint8 to int16");
  QAT_ASSIGN_OR_RETURN(const std::set<std::string> names,
                       NamedLayers("--int16", flags.int16, StrCat(flags.plan, ": int16"),
                                   plan ? plan->int16 : std::vector<std::string>(), graph));
  std::vector<PlacedOp> ops;
  for (const GraphNode& node : graph.nodes) {
    if (names.contains(node.name)) ops.push_back({node.name, node.type});
  }
  for (const std::string& name : kept_float) {
    if (names.contains(name))
      return InvalidArgument(
          StrCat("--int16: layer '", name, "' is to compute real numbers too; expected one of both"));
  }
  QAT_RETURN_IF_ERROR_IN("--int16", ExpectIntegerKernels(ops, DType::kInt16));
  Int16Layers layers = {{names.begin(), names.end()}, KeepInt16(graph, names)};
  SeparateFixedRanges(graph);
  LogInfo(StrCat("computed with 16-bit activations, between QUANTIZE nodes, as asked: ",
                 JoinSome(layers.named, 12)));
  return layers;
}

Status AppendAsAsked(const ConvertFlags& flags, Graph& graph) {
  constexpr std::string_view kFlag = "--append";
  if (flags.argmax_type != "int32" && flags.argmax_type != "int64")
    return InvalidArgument(StrCat("--argmax-type: value '", flags.argmax_type, "', expected int32 or int64"));
  std::vector<std::string> known;
  for (const int32_t output : graph.outputs) known.push_back(graph.tensor(output).name);
  if (HasNames(flags.append)) {
    QAT_ASSIGN_OR_RETURN(const auto by_output, ByName(kFlag, flags.append, "output", known));
    for (size_t i = 0; i < known.size(); ++i) {
      const auto own = by_output.find(known[i]);
      if (own != by_output.end()) QAT_RETURN_IF_ERROR_IN(kFlag, AppendTo(i, own->second, flags, graph));
    }
    return {};
  }
  if (known.size() > 1 && LowerCase(flags.append) != "none") {
    return InvalidArgument(StrCat(kFlag, ": value '", flags.append, "', expected an operator by output, as ", known[0], "=", flags.append,
                                  ": the network has ", known.size(), " outputs: ", Join(known)));
  }
  QAT_RETURN_IF_ERROR_IN(kFlag, AppendTo(0, flags.append, flags, graph));
  return {};
}

Status SetInputAsAsked(const ConvertFlags& flags, Graph& graph) {
  constexpr std::string_view kFlag = "--input-type";
  const std::string asked = HasNames(flags.input_type) ? "" : flags.input_type;
  std::map<std::string, std::string> by_input;
  if (HasNames(flags.input_type)) {
    std::vector<std::string> known;
    for (const InputContract& input : graph.contract.inputs) known.push_back(input.name);
    QAT_ASSIGN_OR_RETURN(by_input, ByName(kFlag, flags.input_type, "input", known));
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

Expected<std::vector<std::optional<DType>>> OutputTypesAsAsked(const ConvertFlags& flags, const Graph& graph) {
  std::vector<std::optional<DType>> types(graph.outputs.size());
  if (flags.output_type.empty()) return types;
  std::map<std::string, std::string> by_output;
  if (HasNames(flags.output_type)) {
    std::vector<std::string> known;
    for (const int32_t output : graph.outputs) known.push_back(graph.tensor(output).name);
    QAT_ASSIGN_OR_RETURN(by_output, ByName(kOutputType, flags.output_type, "output", known));
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const auto own = by_output.find(graph.tensor(graph.outputs[i]).name);
    if (HasNames(flags.output_type) && own == by_output.end()) continue;
    QAT_ASSIGN_OR_RETURN(types[i], ParseBorderType(kOutputType, own == by_output.end() ? flags.output_type : own->second));
  }
  return types;
}

Status SetOutputAsAsked(const ConvertFlags& flags, Graph& graph) {
  QAT_ASSIGN_OR_RETURN(const auto types, OutputTypesAsAsked(flags, graph));
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i]) QAT_RETURN_IF_ERROR_IN(kOutputType, SetOutputType(*types[i], i, graph));
  }
  return {};
}

Status CheckLayout(const ConvertFlags& flags, const ReadNetworkResult& network) {
  const std::string layout = LowerCase(flags.input_layout);
  if (layout == "nhwc") return {};
  if (layout != "nchw")
    return InvalidArgument(StrCat("--input-layout: value '", flags.input_layout, "', expected nhwc or nchw"));
  if (network.moved_inputs.empty())
    return InvalidArgument(StrCat("--input-layout: ", flags.graph, " has its channels last already, expected an .onnx"));
  if (!flags.emit_micro.empty())
    return InvalidArgument("--input-layout: the sources of --emit-micro fill inputs with the channels last; leave out one of the two flags");
  const auto any = [](const std::vector<bool>& moved) { return std::find(moved.begin(), moved.end(), true) != moved.end(); };
  if (!any(network.moved_inputs) && !any(network.moved_outputs))
    LogInfo("--input-layout nchw: no input or output has channels that would be moved");
  return {};
}

Status SetLayoutAsAsked(const ConvertFlags& flags, const ReadNetworkResult& network, Graph& graph) {
  if (LowerCase(flags.input_layout) != "nchw") return {};
  std::vector<std::string> turned;
  int transposes = 0;
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    if (!network.moved_inputs[i]) continue;
    transposes += TakeChannelsFirst(i, graph);
    const GraphTensor& input = graph.tensor(graph.inputs[i]);
    turned.push_back(StrCat("'", input.name, "' ", ToString(input.shape)));
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    // Indices have no channels any more.
    const DType type = graph.tensor(graph.outputs[i]).type;
    if (!network.moved_outputs[i] || type == DType::kInt32 || type == DType::kInt64) continue;
    transposes += GiveChannelsFirst(i, graph);
    const GraphTensor& output = graph.tensor(graph.outputs[i]);
    turned.push_back(StrCat("'", output.name, "' ", ToString(output.shape)));
  }
  if (!turned.empty())
    LogInfo(StrCat("channels are first, as in the source: ", JoinSome(turned, 6), "; ", transposes,
                   transposes == 1 ? " transpose was added" : " transposes were added"));
  return {};
}

}  // namespace qat
