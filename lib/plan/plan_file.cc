#include "plan/plan_file.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "base/printable.h"
#include "base/strings.h"
#include "contract/input_params.h"
#include "ir/range_groups.h"
#include "ops/integer_kernels.h"
#include "spec/quoted.h"
#include "spec/toml_text.h"

namespace qat {
namespace {

constexpr std::string_view kReason = "the plan";

std::string RangeText(Range range) { return StrCat("[", range.min, ", ", range.max, "]"); }

std::string ParamsText(const TensorPlan& plan) {
  if (plan.params.size() == 1)
    return StrCat("scale ", plan.params[0].scale, ", zero point ", plan.params[0].zero_point);
  const auto by_scale = [](const QuantizationParams& a, const QuantizationParams& b) {
    return a.scale < b.scale;
  };
  const auto [least, largest] = std::minmax_element(plan.params.begin(), plan.params.end(), by_scale);
  return StrCat(plan.params.size(), " scales from ", least->scale, " to ", largest->scale);
}

class PlanWriter {
 public:
  PlanWriter(const QuantizationPlan& plan, const Graph& graph)
      : plan_(plan), graph_(graph), groups_(FindRangeGroups(graph)) {}

  std::string Run(const PlannedLayers& layers) {
    text_ = StrCat("# Quantization plan of ", Printable(graph_.name),
                   ". Ranges, types of filters and `keep_float` can be edited; what "
                   "stands behind # follows from them.\nversion = 1\ntype = ",
                   Quoted(NameOf(plan_.precisions)), "\nkeep_float = ", ListText(layers.keep_float), "\n");
    if (!layers.int16.empty()) text_ += StrCat("int16 = ", ListText(layers.int16), "\n");
    if (!layers.equalize.empty()) text_ += StrCat("equalize = ", ListText(layers.equalize), "\n");
    Section("inputs", [&](const TensorPlan& each) { return each.role == PlannedRole::kInput; });
    Section("activations", [&](const TensorPlan& each) {
      return each.role == PlannedRole::kActivation && each.range && IsFirst(each);
    });
    Section("filters", [](const TensorPlan& each) { return each.role == PlannedRole::kFilter; });
    Section("", [&](const TensorPlan& each) {
      return each.role == PlannedRole::kOperand ||
             (each.role == PlannedRole::kActivation && !each.range && each.shares < 0);
    });
    return std::move(text_);
  }

 private:
  static std::string ListText(const std::vector<std::string>& names) {
    std::vector<std::string> quoted;
    for (const std::string& name : names) quoted.push_back(Quoted(name));
    return StrCat("[", Join(quoted), "]");
  }

  const std::string& NameOfTensor(int32_t index) const { return graph_.tensor(index).name; }

  /// Of a group one tensor is enough: the first that has a range.
  bool IsFirst(const TensorPlan& plan) const {
    return groups_.Of(plan.tensor).observed.front() == plan.tensor;
  }

  template <class Wanted>
  void Section(std::string_view name, const Wanted& wanted) {
    bool any = false;
    for (const TensorPlan& each : plan_.tensors) {
      if (!wanted(each)) continue;
      if (!any) text_ += name.empty() ? "\n# Not to be chosen:\n" : StrCat("\n[", name, "]\n");
      any = true;
      text_ += Line(each);
    }
  }

  std::string Line(const TensorPlan& each) const {
    const std::string value = ValueOf(each);
    return StrCat(value.empty() ? "# " : "", Quoted(NameOfTensor(each.tensor)),
                  value.empty() ? ": " : StrCat(" = ", value, "  # "), NameOf(each.precision.type), ", ",
                  ParamsText(each), "; ", Printable(each.reason), SharedBy(each), "\n");
  }

  /// What the reader takes back; empty: there is nothing to choose.
  std::string ValueOf(const TensorPlan& each) const {
    if (each.role == PlannedRole::kActivation)
      return each.range ? StrCat("{ range = ", RangeText(*each.range), " }") : "";
    if (each.role == PlannedRole::kInput) {
      const auto at =
          std::find(graph_.inputs.begin(), graph_.inputs.end(), each.tensor) - graph_.inputs.begin();
      const InputContract& input = graph_.contract.inputs.at(static_cast<size_t>(at));
      return input.values == ValueType::kReal ? StrCat("{ range = ", RangeText(RealRangeOf(input)), " }")
                                              : "";
    }
    if (each.role != PlannedRole::kFilter) return "";
    const std::string range = each.range && each.reason != "the range of its values"
                                  ? StrCat(", range = ", RangeText(*each.range))
                                  : "";
    return StrCat("{ bits = ", each.precision.bits,
                  ", scales = ", Quoted(each.precision.per_axis() ? "channel" : "tensor"), range, " }");
  }

  std::string SharedBy(const TensorPlan& each) const {
    std::vector<std::string> names;
    for (const TensorPlan& other : plan_.tensors) {
      if (other.tensor == each.tensor || other.role == PlannedRole::kBias) continue;
      const int32_t group = groups_.of_tensor[static_cast<size_t>(each.tensor)];
      if (group >= 0 && groups_.of_tensor[static_cast<size_t>(other.tensor)] == group)
        names.push_back(Quoted(NameOfTensor(other.tensor)));
    }
    return names.empty() ? "" : StrCat("; shared by ", Join(names));
  }

  const QuantizationPlan& plan_;
  const Graph& graph_;
  const RangeGroups groups_;
  std::string text_;
};

class PlanReader {
 public:
  explicit PlanReader(const TomlText& text) : text_(text), refusals_(text.source()) {}

  Expected<PlanChoices> Run() {
    const toml::table& root = text_.root();
    refusals_.RejectUnknown(
        root, {"version", "type", "keep_float", "int16", "equalize", "inputs", "activations", "filters"});
    ReadHead(root);
    EachTensor(root, "inputs", {"range"}, [&](const std::string& name, const toml::table& table) {
      if (!ReadRange(table, out_.inputs[name], true) || out_.inputs[name] != Range{0, 0}) return;
      // A layer may give nothing but 0; a network is never shown nothing but 0.
      refusals_.Refuse(*table.get("range"), "'range' is [0, 0], expected [MIN, MAX] with MIN below MAX");
    });
    EachTensor(root, "activations", {"range"}, [&](const std::string& name, const toml::table& table) {
      ReadRange(table, out_.activations[name], true);
    });
    EachTensor(
        root, "filters", {"bits", "scales", "range"},
        [&](const std::string& name, const toml::table& table) { ReadFilter(table, out_.filters[name]); });
    if (const Status status = refusals_.errors().Take(); !status.ok()) return status.error();
    return std::move(out_);
  }

 private:
  void ReadHead(const toml::table& root) {
    const toml::node* version = root.get("version");
    if (version == nullptr) {
      refusals_.Missing(root, "version", "1");
    } else if (version->value_exact<int64_t>() != 1) {
      refusals_.Mismatch(*version, "version", "1");
    }
    const toml::node* type = root.get("type");
    if (type == nullptr) {
      refusals_.Missing(root, "type", StrCat("one of ", IntegerNames()));
    } else {
      const auto integers = IntegersFromName(type->value<std::string>().value_or(""));
      if (!integers) refusals_.Mismatch(*type, "type", StrCat("one of ", IntegerNames()));
      if (integers) out_.precisions = *integers;
    }
    ReadLayers(root, "keep_float", out_.keep_float);
    ReadLayers(root, "int16", out_.int16);
    if (!out_.int16.empty() && out_.precisions.activations.type != DType::kInt8)
      refusals_.Refuse(*root.get("int16"),
                       StrCat("'int16' is of layers beside activations of int8, and the type is ",
                              NameOf(out_.precisions)));
    ReadLayers(root, "equalize", out_.equalize);
  }

  void ReadLayers(const toml::table& root, std::string_view key, std::vector<std::string>& names) {
    const toml::node* list = root.get(key);
    if (list == nullptr) return;
    if (list->as_array() == nullptr) {
      refusals_.Mismatch(*list, key, "a list of names of layers");
      return;
    }
    for (const toml::node& each : *list->as_array()) {
      if (each.is_string()) {
        names.push_back(*each.value<std::string>());
      } else {
        refusals_.Mismatch(each, key, "names of layers");
      }
    }
  }

  template <class Read>
  void EachTensor(const toml::table& root, std::string_view section, const std::vector<std::string>& keys,
                  const Read& read) {
    const toml::node* node = root.get(section);
    if (node == nullptr) return;
    if (!node->is_table()) {
      refusals_.Mismatch(*node, section, "a table of tensors");
      return;
    }
    for (const auto& [key, value] : *node->as_table()) {
      const std::string name(key.str());
      refusals_.set_context(StrCat("'", Printable(name), "': "));
      if (!value.is_table()) {
        refusals_.Mismatch(value, name, "{ range = [MIN, MAX] } or the like");
      } else if (refusals_.RejectUnknown(*value.as_table(), keys)) {
        read(name, *value.as_table());
      }
      refusals_.set_context("");
    }
  }

  bool ReadRange(const toml::table& table, Range& range, bool required) {
    const toml::node* node = table.get("range");
    if (node == nullptr) return required ? refusals_.Missing(table, "range", "[MIN, MAX]") : false;
    const toml::array* ends = node->as_array();
    static const std::string kExpected =
        StrCat("[MIN, MAX] with MIN at most 0 and MAX at least 0, no wider than ", kLargestOfContract);
    if (ends == nullptr || ends->size() != 2) return refusals_.Mismatch(*node, "range", kExpected);
    const auto low = ends->get(0)->value<double>();
    const auto high = ends->get(1)->value<double>();
    if (!low || !high) return refusals_.Mismatch(*node, "range", kExpected);
    range = {static_cast<float>(*low), static_cast<float>(*high)};
    const bool fits = range.min <= 0 && range.max >= 0 && range.max - range.min <= kLargestOfContract;
    if (fits) return true;
    return refusals_.Refuse(*node, StrCat("'range' is ", RangeText(range), ", expected ", kExpected));
  }

  void ReadFilter(const toml::table& table, FilterChoice& choice) {
    const Precision& usual = out_.precisions.filters;
    if (const toml::node* bits = table.get("bits")) {
      const auto value = bits->value_exact<int64_t>();
      const bool four = out_.precisions.activations.type == DType::kInt8;
      if (value != 8 && !(value == 4 && four)) {
        refusals_.Mismatch(*bits, "bits", four ? "4 or 8" : "8");
        return;
      }
      if (usual.symmetric) choice.bits = static_cast<int32_t>(*value);
    }
    if (const toml::node* scales = table.get("scales")) {
      const auto value = scales->value<std::string>();
      const bool known = value == "tensor" || (value == "channel" && usual.type != DType::kUInt8);
      if (!known) {
        refusals_.Mismatch(*scales, "scales",
                           usual.type == DType::kUInt8 ? "\"tensor\"" : "\"tensor\" or \"channel\"");
        return;
      }
      choice.granularity = *value == "channel" ? Granularity::kAxis : Granularity::kTensor;
    }
    Range range;
    if (!ReadRange(table, range, false)) return;
    if (choice.granularity.value_or(usual.granularity) == Granularity::kAxis) {
      refusals_.Refuse(
          *table.get("range"),
          "'range' is of a filter with a scale for each channel, expected one with scales = \"tensor\"");
      return;
    }
    choice.range = range;
  }

  const TomlText& text_;
  Refusals refusals_;
  PlanChoices out_;
};

/// Name to index of the tensors that may be named in one section.
using Known = std::map<std::string, int32_t>;

Expected<int32_t> Find(const Known& known, const std::string& name, std::string_view what) {
  const auto found = known.find(name);
  if (found != known.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [each, index] : known) names.push_back(each);
  return InvalidArgument(StrCat(UnknownName(what, name, names), ", expected a name that the network has"));
}

Status TakeInputs(const PlanChoices& choices, Graph& graph) {
  Known known;
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    const std::string& name = graph.tensor(graph.inputs[i]).name;
    if (graph.contract.inputs.at(i).values == ValueType::kReal) {
      known[name] = static_cast<int32_t>(i);
    } else if (choices.inputs.contains(name)) {
      return InvalidArgument(StrCat(
          "inputs: '", name,
          "' takes bytes, of which mean and std say what they stand for, expected no range of it; where "
          "the plan is of real numbers, leave out `mean` and `std`"));
    }
  }
  for (const auto& [name, range] : choices.inputs) {
    QAT_ASSIGN_OR_RETURN(const int32_t position, Find(known, name, "input of real numbers"));
    InputContract& input = graph.contract.inputs[static_cast<size_t>(position)];
    input.low = range.min;
    input.high = range.max;
  }
  return {};
}

void SetRange(Range range, const PlanChoices& choices, GraphTensor& tensor) {
  tensor.has_range = true;
  tensor.range = range;
  tensor.limits = LimitsOf(choices.precisions.activations);
}

Status TakeActivations(const PlanChoices& choices, Graph& graph) {
  Known known;
  const RangeGroups groups = FindRangeGroups(graph);
  for (const RangeGroup& group : groups.groups) {
    for (const int32_t tensor : group.observed) known[graph.tensor(tensor).name] = tensor;
  }
  std::map<const RangeGroup*, std::pair<std::string, Range>> taken;
  for (const auto& [name, range] : choices.activations) {
    QAT_ASSIGN_OR_RETURN(const int32_t tensor, Find(known, name, "activation"));
    const RangeGroup& group = groups.Of(tensor);
    const auto [before, is_new] = taken.emplace(&group, std::pair(name, range));
    if (!is_new && before->second.second != range) {
      return InvalidArgument(StrCat("activations '", before->second.first, "' and '", name,
                                    "' share one range, and the plan gives them two; name one of them"));
    }
    for (const int32_t each : group.observed) SetRange(range, choices, graph.tensor(each));
  }
  return {};
}

Status TakeFilters(const PlanChoices& choices, const Graph& graph, QuantizationOptions& options) {
  Known known;
  std::map<int32_t, OpType> readers;
  for (const GraphNode& node : graph.nodes) {
    const int32_t filter = node.InputAt(node.definition().filter_input);
    if (filter < 0) continue;
    known[graph.tensor(filter).name] = filter;
    readers[filter] = node.type;
  }
  for (const auto& [name, choice] : choices.filters) {
    QAT_ASSIGN_OR_RETURN(const int32_t filter, Find(known, name, "filter"));
    if (choice.bits == 4 && !TakesFourBits(readers.at(filter))) {
      return Unsupported(
          StrCat("filter '", name, "' of a ", DefinitionOf(readers.at(filter)).name,
                 " has 4 bits, which TFLite takes of conv_2d, depthwise_conv_2d and fully_connected only"));
    }
    const std::optional<Granularity> asked = options.filters[name].granularity;
    FilterChoice& taken = options.filters[name] = choice;
    if (!taken.granularity) taken.granularity = asked;
  }
  return {};
}

}  // namespace

std::string PlanText(const QuantizationPlan& plan, const Graph& graph, const PlannedLayers& layers) {
  return PlanWriter(plan, graph).Run(layers);
}

Expected<PlanChoices> ReadPlan(std::string_view text, const std::string& source) {
  QAT_ASSIGN_OR_RETURN(const TomlText toml, TomlText::Parse(text, source));
  return PlanReader(toml).Run();
}

void TakeRangesFirst(const PlanChoices& choices, Graph& graph) {
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    InputContract& input = graph.contract.inputs.at(i);
    const auto found = choices.inputs.find(graph.tensor(graph.inputs[i]).name);
    if (found == choices.inputs.end() || input.values != ValueType::kReal) continue;
    input.low = found->second.min;
    input.high = found->second.max;
  }
  for (const RangeGroup& group : FindRangeGroups(graph).groups) {
    std::optional<Range> of_all;
    for (const int32_t tensor : group.observed) {
      const auto found = choices.activations.find(graph.tensor(tensor).name);
      if (found == choices.activations.end()) continue;
      of_all = of_all ? UnionOf(*of_all, found->second) : found->second;
    }
    if (!of_all) continue;
    for (const int32_t each : group.observed) {
      GraphTensor& tensor = graph.tensor(each);
      const auto found = choices.activations.find(tensor.name);
      SetRange(found != choices.activations.end() ? found->second : *of_all, choices, tensor);
    }
  }
}

Status TakeChoices(const PlanChoices& choices, Graph& graph, QuantizationOptions& options) {
  QAT_RETURN_IF_ERROR(TakeInputs(choices, graph));
  QAT_RETURN_IF_ERROR(TakeActivations(choices, graph));
  QAT_RETURN_IF_ERROR(TakeFilters(choices, graph, options));
  options.reason = kReason;
  return {};
}

}  // namespace qat
