#include "debug/plan_edits.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "base/strings.h"
#include "ir/range_groups.h"
#include "ops/integer_kernels.h"
#include "passes/passes.h"
#include "report/text_format.h"

namespace qat {
namespace {

constexpr double kSameRange = 0.01;  // of its width

std::string RangeText(Range range) {
  return StrCat("[", Significant(range.min), ", ", Significant(range.max), "]");
}

bool Alike(Range a, Range b) {
  const double width = std::max(double{a.max} - a.min, double{b.max} - b.min);
  return std::abs(a.min - b.min) <= kSameRange * width && std::abs(a.max - b.max) <= kSameRange * width;
}

/// Ranges that leave something of `all` out. `add` takes a range and why.
template <class Add>
void AddNarrower(const Observed& observed, Range all, const PlanChoices& choices, const Add& add) {
  std::vector<std::pair<Range, std::string_view>> narrower = {
      {LeastErrorRange(observed, LimitsOf(choices.precisions.activations)), "with the least square error"},
      {CentralRange(observed, 0.999), "what 99.9 % of the values lie in"},
      {CentralRange(observed, 0.99), "what 99 % of the values lie in"}};
  std::vector<Range> added = {all};
  for (const auto& [range, why] : narrower) {
    const auto same = [range = range](Range other) { return Alike(range, other); };
    if (!(range.min < range.max) || std::any_of(added.begin(), added.end(), same)) continue;
    add(range, why);
    added.push_back(range);
  }
}

}  // namespace

Expected<std::vector<PossibleEdit>> EditFinder::Find(const LayerDiagnosis& layer,
                                                     const PlanChoices& choices) {
  std::vector<std::string> none;
  QAT_ASSIGN_OR_RETURN(const Converted now, Convert(network_, choices, none, own_));
  QAT_ASSIGN_OR_RETURN(const Ranges* observed, ObservedFor(now, choices));
  std::vector<PossibleEdit> edits;
  AddRanges(layer, now, *observed, choices, edits);
  AddFilters(layer, now, choices, edits);
  QAT_RETURN_IF_ERROR(AddEqualizations(layer, *observed, choices, edits));
  AddInt16(layer, choices, edits);
  AddFloats(layer, choices, edits);
  return edits;
}

Expected<const EditFinder::Ranges*> EditFinder::ObservedFor(const Converted& now,
                                                            const PlanChoices& choices) {
  const auto [found, is_new] = observed_.try_emplace({choices.equalize, choices.keep_float, choices.int16});
  if (is_new) {
    auto seen = Observe(now.real, calibration_, hooks_.Quiet());
    if (!seen.ok()) return seen.error();
    found->second = *std::move(seen);
  }
  return &found->second;
}

void EditFinder::AddRanges(const LayerDiagnosis& layer, const Converted& now, const Ranges& observed,
                           const PlanChoices& choices, std::vector<PossibleEdit>& edits) const {
  if (layer.layer.op == "input") return AddInputRanges(layer, observed, choices, edits);
  const RangeGroups groups = FindRangeGroups(now.real);
  int32_t tensor = -1;
  for (size_t i = 0; i < now.real.tensors.size(); ++i) {
    if (now.real.tensors[i].name == layer.tensor) tensor = static_cast<int32_t>(i);
  }
  if (tensor < 0 || groups.of_tensor[static_cast<size_t>(tensor)] < 0) return;
  const RangeGroup& group = groups.Of(tensor);
  std::vector<std::string> names;
  Range all;
  const Observed* widest = nullptr;
  for (const int32_t each : group.observed) {
    const auto found = observed.find(now.real.tensor(each).name);
    if (found == observed.end()) return;
    const Range range = found->second.range;
    all = UnionOf(all, range);
    if (widest == nullptr || range.max - range.min > widest->range.max - widest->range.min)
      widest = &found->second;
    names.push_back(found->first);
  }
  all = group.With(all);
  if (names.empty() || !(all.min < all.max)) return;
  const Range current = now.real.tensor(group.observed.front()).range;
  const auto add = [&](Range range, std::string_view why) {
    if (Alike(range, current)) return;
    const std::string text = StrCat("range of '", names.front(), "': ", RangeText(current), " becomes ",
                                    RangeText(range), ", ", why);
    edits.push_back({{"range", layer.layer.name, text}, [names, range](PlanChoices& edited) {
                       for (const std::string& name : names) edited.activations[name] = range;
                     }});
  };
  add(all, "as observed");
  AddNarrower(*widest, all, choices, add);
}

void EditFinder::AddInputRanges(const LayerDiagnosis& layer, const Ranges& observed,
                                const PlanChoices& choices, std::vector<PossibleEdit>& edits) {
  const auto found = observed.find(layer.layer.name);
  const auto given = choices.inputs.find(layer.layer.name);
  if (found == observed.end() || !(found->second.range.min < found->second.range.max)) return;
  const auto add = [&](Range range, std::string_view why) {
    const Range current = given == choices.inputs.end() ? Range() : given->second;
    if (Alike(range, current)) return;
    const std::string text = StrCat("range of the input '", layer.layer.name, "': ", RangeText(current),
                                    " becomes ", RangeText(range), ", ", why);
    edits.push_back({{"range", layer.layer.name, text},
                     [name = layer.layer.name, range](PlanChoices& edited) { edited.inputs[name] = range; }});
  };
  add(found->second.range, "as observed");
  AddNarrower(found->second, found->second.range, choices, add);
}

void EditFinder::AddFilters(const LayerDiagnosis& layer, const Converted& now, const PlanChoices& choices,
                            std::vector<PossibleEdit>& edits) {
  const auto node = std::find_if(now.real.nodes.begin(), now.real.nodes.end(),
                                 [&](const GraphNode& each) { return each.name == layer.layer.name; });
  if (node == now.real.nodes.end()) return;
  const int32_t position = node->definition().filter_input;
  if (position < 0 || static_cast<size_t>(position) >= node->inputs.size()) return;
  const std::string name = now.real.tensor(node->inputs[static_cast<size_t>(position)]).name;
  const auto given = choices.filters.find(name);
  Precision precision = FilterPrecision(node->type, choices.precisions);
  if (given != choices.filters.end() && given->second.granularity)
    precision.granularity = *given->second.granularity;
  if (given != choices.filters.end() && given->second.range) {
    edits.push_back({{"filter", layer.layer.name,
                      StrCat("filter '", name, "': the range ", RangeText(*given->second.range),
                             " becomes that of its values")},
                     [name](PlanChoices& edited) { edited.filters[name].range.reset(); }});
  }
  if (given != choices.filters.end() && given->second.bits) precision.bits = *given->second.bits;
  if (precision.bits < 8)
    edits.push_back(
        {{"filter", layer.layer.name, StrCat("filter '", name, "': 8 bits instead of ", precision.bits)},
         [name](PlanChoices& edited) { edited.filters[name].bits = 8; },
         EditPrice::kBits});
  if (precision.per_axis() || precision.type == DType::kUInt8) return;
  edits.push_back({{"filter", layer.layer.name, StrCat("filter '", name, "': a scale for each channel")},
                   [name](PlanChoices& edited) {
                     edited.filters[name].granularity = Granularity::kAxis;
                     edited.filters[name].range.reset();
                   },
                   EditPrice::kScales});
}

Status EditFinder::AddEqualizations(const LayerDiagnosis& layer, const Ranges& observed,
                                    const PlanChoices& choices, std::vector<PossibleEdit>& edits) {
  for (const EqualizablePair& pair : EqualizablePairs(network_)) {
    if (pair.first != layer.layer.name && pair.second != layer.layer.name) continue;
    if (std::find(choices.equalize.begin(), choices.equalize.end(), pair.first) != choices.equalize.end())
      continue;
    PlanChoices equalized = choices;
    equalized.equalize.push_back(pair.first);
    std::vector<std::string> filters;
    for (const GraphNode& node : network_.nodes) {
      if (node.name != pair.first && node.name != pair.second) continue;
      filters.push_back(
          network_.tensor(node.inputs[static_cast<size_t>(node.definition().filter_input)]).name);
    }
    std::vector<std::string> none;
    QAT_ASSIGN_OR_RETURN(const Converted changed, Convert(network_, equalized, none, own_));
    QAT_ASSIGN_OR_RETURN(const Ranges* after, ObservedFor(changed, equalized));
    std::map<std::string, Range> ranges;
    for (const auto& [name, range] : equalized.activations) {
      const auto old_range = observed.find(name), new_range = after->find(name);
      if (old_range == observed.end() || new_range == after->end()) continue;
      if (!Alike(old_range->second.range, new_range->second.range)) ranges[name] = new_range->second.range;
    }
    edits.push_back(
        {{"equalize", layer.layer.name,
          StrCat("filters of '", pair.first, "' and '", pair.second, "' equalized, channel by channel")},
         [first = pair.first, filters, ranges](PlanChoices& edited) {
           edited.equalize.push_back(first);
           for (const auto& [name, range] : ranges) edited.activations[name] = range;
           for (const std::string& name : filters) {
             if (edited.filters.contains(name)) edited.filters[name].range.reset();
           }
         }});
  }
  return {};
}

std::vector<std::string> EditFinder::ReadersOf(std::set<int32_t> tensors) const {
  std::vector<std::string> names;
  for (const GraphNode& reader : network_.nodes) {
    const bool reads = std::any_of(reader.inputs.begin(), reader.inputs.end(),
                                   [&](int32_t input) { return tensors.contains(input); });
    if (!reads) continue;
    names.push_back(reader.name);
    if (reader.definition().output_quantization == OutputQuantization::kSameAsInput)
      tensors.insert(reader.outputs.begin(), reader.outputs.end());
  }
  return names;
}

EditFinder::Place EditFinder::PlaceOf(const LayerDiagnosis& layer) const {
  Place place;
  for (const int32_t input : network_.inputs) {
    if (layer.layer.op == "input" && network_.tensor(input).name == layer.layer.name)
      place.readers = ReadersOf({input});
  }
  for (const GraphNode& node : network_.nodes) {
    if (layer.layer.op == "input" || node.name != layer.layer.name) continue;
    place.own = {node.name};
    place.readers = ReadersOf({node.outputs.begin(), node.outputs.end()});
  }
  return place;
}

/// What a layer computes is rounded once more where it becomes int8 again, so those that read it have 16 bits
/// too.
void EditFinder::AddInt16(const LayerDiagnosis& layer, const PlanChoices& choices,
                          std::vector<PossibleEdit>& edits) const {
  if (choices.precisions.activations.type != DType::kInt8) return;
  const Place place = PlaceOf(layer);
  if (place.readers.empty()) return;
  std::vector<std::string> names = place.own;
  names.insert(names.end(), place.readers.begin(), place.readers.end());
  const auto is_in = [](const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  const auto lacks_kernel = [&](const GraphNode& each) {
    return is_in(names, each.name) && !RunsOn(each.type, DType::kInt16);
  };
  if (std::any_of(network_.nodes.begin(), network_.nodes.end(), lacks_kernel)) return;
  if (std::any_of(names.begin(), names.end(),
                  [&](const std::string& name) { return is_in(choices.keep_float, name); }))
    return;
  std::erase_if(names, [&](const std::string& name) { return is_in(choices.int16, name); });
  if (names.empty()) return;
  edits.push_back(
      {{"int16", layer.layer.name, StrCat("16-bit activations: ", Join(names))},
       [names](PlanChoices& edited) { edited.int16.insert(edited.int16.end(), names.begin(), names.end()); },
       EditPrice::kInt16});
}

void EditFinder::AddFloats(const LayerDiagnosis& layer, const PlanChoices& choices,
                           std::vector<PossibleEdit>& edits) const {
  const Place place = PlaceOf(layer);
  const auto add = [&](std::vector<std::string> names) {
    std::erase_if(names, [&](const std::string& name) {
      return std::find(choices.keep_float.begin(), choices.keep_float.end(), name) !=
             choices.keep_float.end();
    });
    if (names.empty()) return;
    edits.push_back({{"keep_float", layer.layer.name, StrCat("in float: ", Join(names))},
                     [names](PlanChoices& edited) {
                       edited.keep_float.insert(edited.keep_float.end(), names.begin(), names.end());
                     },
                     EditPrice::kFloat});
  };
  add(place.own);
  if (place.readers.empty()) return;
  std::vector<std::string> all = place.own;
  all.insert(all.end(), place.readers.begin(), place.readers.end());
  add(std::move(all));
}

}  // namespace qat
