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
#include "passes/passes.h"

namespace qat {
namespace {

/// Layers that the flag or the plan names.
Expected<std::set<std::string>> NamesToKeepFloat(const ConvertFlags& flags,
                                                 const std::optional<PlanChoices>& plan, const Graph& graph) {
  std::set<std::string> kept;
  std::vector<std::string> names;
  for (const GraphNode& node : graph.nodes) names.push_back(node.name);
  if (plan) {
    for (const std::string& name : plan->keep_float) {
      if (std::find(names.begin(), names.end(), name) == names.end())
        return InvalidArgument(StrCat(flags.plan, ": keep_float: ", UnknownName("layer", name, names)));
      kept.insert(name);
    }
  }
  if (flags.keep_float.empty()) return kept;
  std::optional<std::regex> pattern;
  try {
    pattern.emplace(flags.keep_float);
  } catch (const std::regex_error& error) {
    return InvalidArgument(
        StrCat("--keep-float: value '", flags.keep_float, "' is no regular expression (", error.what(), ")"));
  }
  const size_t before = kept.size();
  for (const std::string& name : names) {
    if (std::regex_match(name, *pattern)) kept.insert(name);
  }
  if (kept.size() > before) return kept;
  return InvalidArgument(
      StrCat("--keep-float: no layer has a name that '", flags.keep_float,
             "' describes from its beginning to its end, expected one of: ", JoinSome(names, 12)));
}

Expected<DType> ParseInputType(const ConvertFlags& flags, std::string type) {
  if (type.starts_with("quantized_")) type = type.substr(10);
  if (type == "float") type = "float32";
  const std::optional<Scheme> scheme = SchemeFromName(type);
  if (!scheme)
    return InvalidArgument(
        StrCat("--input-type: value '", flags.input_type,
               "', expected float32, uint8 or int8, or one for each input, as left=uint8,right=float32"));
  return *scheme == Scheme::kFloat32 ? DType::kFloat32
         : *scheme == Scheme::kInt8  ? DType::kInt8
                                     : DType::kUInt8;
}

/// "NAME=…" of a flag that may have something for each input. Errors: kInvalidArgument, for names that no input has.
Expected<std::map<std::string, std::string>> ByInput(std::string_view flag, const std::string& text,
                                                     const Contract& contract) {
  const auto lists = ParseNamedLists(text);
  if (!lists)
    return InvalidArgument(
        StrCat(flag, ": value '", text, "', expected NAME=VALUE for each input, separated by commas"));
  for (const auto& [name, value] : *lists) {
    std::vector<std::string> known;
    for (const InputContract& input : contract.inputs) known.push_back(input.name);
    if (std::find(known.begin(), known.end(), name) != known.end() && known.size() > 1) continue;
    return InvalidArgument(
        StrCat(flag, ": names the input '", name, "', expected ",
               known.size() > 1 ? Join(known) : std::string("no name: there is one input")));
  }
  return *lists;
}

}  // namespace

Expected<std::vector<std::string>> KeepFloatAsAsked(const ConvertFlags& flags,
                                                    const std::optional<PlanChoices>& plan, Scheme scheme,
                                                    Graph& graph, Report& report) {
  if (scheme == Scheme::kFloat32) {
    if (flags.keep_float.empty()) return std::vector<std::string>();
    return InvalidArgument(
        "--keep-float: chooses layers of an integer model, expected one of --type uint8, int8 or "
        "int8-per-tensor");
  }
  QAT_ASSIGN_OR_RETURN(const std::set<std::string> names, NamesToKeepFloat(flags, plan, graph));
  if (flags.calibrate.empty() && names.empty() && !plan) return std::vector<std::string>();
  const KeptFloat kept = KeepFloat(graph, scheme, names);
  SeparateFixedRanges(graph);
  if (!kept.must.empty())
    report.warnings.push_back(StrCat("no kernel of TFLite computes ", Join(kept.must), " on ", NameOf(scheme),
                                     ": computed in float32, between DEQUANTIZE and QUANTIZE"));
  if (!kept.asked.empty())
    LogInfo(StrCat("computed in float32, between DEQUANTIZE and QUANTIZE, as asked: ", Join(kept.asked)));
  return kept.asked;
}

Status RepairAsAsked(const ConvertFlags& flags, Scheme scheme, Graph& graph) {
  const std::string repair = LowerCase(flags.repair);
  if (repair == "none") return {};
  if (repair != "equalize")
    return InvalidArgument(StrCat("--repair: value '", flags.repair, "', expected none or equalize"));
  if (flags.calibrate.empty() || scheme == Scheme::kFloat32)
    return InvalidArgument(
        "--repair: changes filters, so ranges have to be found again; expected --calibrate DATA too");
  const std::vector<std::string> pairs = EqualizeFilters(graph);
  LogInfo(pairs.empty() ? "equalize: no two layers with filters follow each other in a way that allows it; "
                          "nothing was changed"
                        : StrCat("equalized, channel by channel: ", JoinSome(pairs, 6)));
  return {};
}

Status AppendAsAsked(const ConvertFlags& flags, Graph& graph) {
  const std::string append = LowerCase(flags.append);
  if (append == "none") return {};
  if (append == "softmax") {
    QAT_RETURN_IF_ERROR_IN("--append", AppendSoftmax(graph));
    return {};
  }
  if (append == "sigmoid") {
    QAT_RETURN_IF_ERROR_IN("--append", AppendSigmoid(graph));
    return {};
  }
  if (append != "argmax" && append != "arg_max" && append != "arg-max") {
    return InvalidArgument(
        StrCat("--append: value '", flags.append, "', expected none, softmax, argmax or sigmoid"));
  }
  if (flags.argmax_type != "int32" && flags.argmax_type != "int64")
    return InvalidArgument(StrCat("--argmax-type: value '", flags.argmax_type, "', expected int32 or int64"));
  QAT_RETURN_IF_ERROR_IN("--append",
                         AppendArgMax(graph, flags.argmax_type == "int32" ? DType::kInt32 : DType::kInt64));
  return {};
}

Status SetInputAsAsked(const ConvertFlags& flags, Graph& graph) {
  const std::string asked = HasNames(flags.input_type) ? "" : LowerCase(flags.input_type);
  std::map<std::string, std::string> by_input;
  if (HasNames(flags.input_type)) {
    QAT_ASSIGN_OR_RETURN(by_input, ByInput("--input-type", flags.input_type, graph.contract));
  }
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const InputContract& input = graph.contract.inputs[i];
    const auto own = by_input.find(input.name);
    std::string type = own == by_input.end() ? asked : LowerCase(own->second);
    if (type.empty() && input.values == ValueType::kByte) continue;
    if (type.empty()) type = "float32";
    QAT_ASSIGN_OR_RETURN(const DType element, ParseInputType(flags, type));
    QAT_RETURN_IF_ERROR_IN("--input-type", SetInputType(element, i, graph));
  }
  return {};
}

}  // namespace qat
