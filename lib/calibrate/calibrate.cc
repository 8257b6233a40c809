#include "calibrate/calibrate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "base/check.h"
#include "base/join_some.h"
#include "base/strings.h"
#include "contract/provenance.h"
#include "ir/range_groups.h"

namespace qat {
namespace {

constexpr float kNewest = 0.05f;  // weight of an example in a moving average
constexpr float kFewSteps = 8;    // of integers: a channel that spans fewer says little more than a few classes would

OutputQuantization RuleOf(const GraphNode& node) { return DefinitionOf(node.type).output_quantization; }

// What a tensor did on the examples seen so far.
struct Seen {
  int32_t tensor = -1;
  Observer observer = Observer::kMinMax;
  Range range;    // holds 0 from the start
  Range average;  // of the ends of examples
  int64_t examples = 0;
};

// False where a value is not finite. Kernels clamp infinity to the largest float.
bool Observe(std::span<const float> values, Seen& seen) {
  Range own;
  bool finite = true;
  for (const float value : values) {
    own.min = std::min(own.min, value);
    own.max = std::max(own.max, value);
    finite &= std::abs(value) < std::numeric_limits<float>::max();
  }
  const float weight = seen.examples++ == 0 ? 1 : kNewest;
  seen.average.min += weight * (own.min - seen.average.min);
  seen.average.max += weight * (own.max - seen.average.max);
  seen.range = {std::min(seen.range.min, own.min), std::max(seen.range.max, own.max)};
  return finite;
}

/// Requires  names that tensors have.
std::vector<Seen> ObservedTensors(const Graph& graph, const ObserverChoice& choice) {
  std::vector<Seen> observed;
  for (const GraphNode& node : graph.nodes) {
    for (const int32_t output : node.outputs) {
      if (graph.tensor(output).type != DType::kFloat32 || RuleOf(node) != OutputQuantization::kOwnRange) continue;
      const auto own = choice.by_name.find(graph.tensor(output).name);
      Seen seen;
      seen.tensor = output;
      seen.observer = own == choice.by_name.end() ? choice.usual : own->second;
      observed.push_back(seen);
    }
  }
  return observed;
}

Status ExpectObserved(const Graph& graph, const ObserverChoice& choice) {
  std::vector<std::string> names;
  for (const Seen& seen : ObservedTensors(graph, {})) names.push_back(graph.tensor(seen.tensor).name);
  for (const auto& [name, observer] : choice.by_name) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      return InvalidArgument(StrCat("`observer`: ", UnknownName("activation", name, names),
                                    ", expected one with a range of its own"));
  }
  return {};
}

/// A second look at the data, for observers that need to know how often values are.
Status ChooseByHistograms(const Dataset& dataset, const CalibrationOptions& options,
                          const WorkHooks& hooks, FloatRun& run, std::vector<Seen>& observed) {
  std::map<size_t, ValueCounts> histograms;
  for (size_t i = 0; i < observed.size(); ++i) {
    const Range& range = observed[i].range;
    if (NeedsHistogram(observed[i].observer) && range.min < range.max) histograms.emplace(i, range);
  }
  if (histograms.empty()) return {};
  const auto count = [&](int64_t) -> Status {
    for (auto& [i, histogram] : histograms) histogram.Add(run.Values(observed[i].tensor));
    return {};
  };
  QAT_RETURN_IF_ERROR(run.ForEach(dataset, options.chosen, hooks, count));
  for (const auto& [i, histogram] : histograms)
    observed[i].range = ChooseRange(observed[i].observer, histogram, options.precisions.activations);
  return {};
}

// By channel, with 0.
using ChannelRanges = std::vector<Range>;

void ObserveChannels(std::span<const float> values, ChannelRanges& ranges) {
  for (size_t i = 0; i < values.size(); ++i) {
    Range& range = ranges[i % ranges.size()];
    range = {std::min(range.min, values[i]), std::max(range.max, values[i])};
  }
}

Range UnionOf(const ChannelRanges& ranges) {
  Range all;
  for (const Range& range : ranges) all = {std::min(all.min, range.min), std::max(all.max, range.max)};
  return all;
}

std::string CoarseText(const std::vector<std::string>& coarse) {
  return StrCat(coarse.size() == 1 ? "channel " : "channels ", JoinSome(coarse, 8));
}

// Of reals whose channels share one scale.
void WarnOfCoarseChannels(const InputContract& input, const ChannelRanges& ranges, QuantizedLimits limits,
                          std::vector<std::string>& warnings) {
  const float step = (input.high - input.low) / static_cast<float>(limits.quant_max - limits.quant_min);
  std::vector<std::string> coarse;
  for (size_t c = 0; c < ranges.size(); ++c) {
    const float width = ranges[c].max - ranges[c].min;
    if (width > 0 && width < kFewSteps * step) coarse.push_back(std::to_string(c));
  }
  if (coarse.empty()) return;
  warnings.push_back(StrCat(CoarseText(coarse), " of the input ", input.name.empty() ? "" : StrCat("'", input.name, "' "),
                            coarse.size() == 1 ? "spans" : "span", " fewer than ", static_cast<int>(kFewSteps), " steps of ", limits.quant_max - limits.quant_min,
                            ": all channels share one scale, and others reach further (", NumberText(input.low), " to ", NumberText(input.high),
                            "); let the network begin with (x - mean) / std per channel, and train it so"));
}

// What each channel of an output took, without 0: numbers far from 0 lose their steps as small ones do.
using ChannelExtents = std::vector<std::optional<Range>>;

void ObserveExtents(std::span<const float> values, ChannelExtents& extents) {
  for (size_t i = 0; i < values.size(); ++i) {
    std::optional<Range>& extent = extents[i % extents.size()];
    if (!extent) extent = Range{values[i], values[i]};
    extent = Range{std::min(extent->min, values[i]), std::max(extent->max, values[i])};
  }
}

// One for each channel of an output of reals [.., C]; none where one class of several is chosen: their scores share a scale by nature.
ChannelExtents ExtentsOf(const Graph& graph, size_t index) {
  const GraphTensor& output = graph.tensor(graph.outputs[index]);
  const auto& outputs = graph.contract.outputs;
  const bool scores = index < outputs.size() && outputs[index].task == Task::kClasses;
  if (output.type != DType::kFloat32 || output.shape.empty() || output.shape.back() < 1 || scores) return {};
  return ChannelExtents(static_cast<size_t>(output.shape.back()));
}

// The layers that compute real numbers where an output does: from the one whose range it has to the last one.
std::vector<std::string> LayersOf(const Graph& graph, int32_t output) {
  std::vector<std::string> layers;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (std::find(node->outputs.begin(), node->outputs.end(), output) == node->outputs.end()) continue;
    if (node->type != OpType::kQuantize) layers.insert(layers.begin(), node->name);
    if (RuleOf(*node) == OutputQuantization::kOwnRange && node->type != OpType::kQuantize) break;
    output = node->inputs[0];
  }
  return layers;
}

// Of an output whose channels share one scale.
void WarnOfCoarseOutput(const Graph& graph, size_t index, const ChannelExtents& extents, const std::map<int32_t, Range>& ranges,
                        const RangeGroups& groups, const CalibrationOptions& options, std::vector<std::string>& warnings) {
  const int32_t output = graph.outputs[index];
  if (extents.empty() || groups.of_tensor[static_cast<size_t>(output)] < 0) return;
  const RangeGroup& group = groups.Of(output);
  const auto producer = std::find_if(graph.nodes.begin(), graph.nodes.end(), [&](const GraphNode& node) {
    return std::find(node.outputs.begin(), node.outputs.end(), output) != node.outputs.end();
  });
  const bool is_real = index < options.float_outputs.size() && options.float_outputs[index] && producer != graph.nodes.end() &&
                       producer->type == OpType::kQuantize;
  if (group.observed.empty() || group.holds_input || group.fixed_uint8 || is_real) return;
  const Range range = ranges.at(group.observed.front());
  const QuantizedLimits limits = LimitsOf(options.precisions.activations);
  const float step = (range.max - range.min) / static_cast<float>(limits.quant_max - limits.quant_min);
  std::vector<std::string> coarse;
  for (size_t c = 0; c < extents.size(); ++c) {
    const float width = extents[c] ? extents[c]->max - extents[c]->min : 0;
    if (width > 0 && width < kFewSteps * step) coarse.push_back(std::to_string(c));
  }
  if (coarse.empty()) return;
  const std::string& name = graph.tensor(output).name;
  const std::vector<std::string> layers = LayersOf(graph, output);
  const std::string type = graph.outputs.size() == 1 ? "float32" : StrCat(name, "=float32");
  warnings.push_back(StrCat(CoarseText(coarse), " of the output '", name, "' ", coarse.size() == 1 ? "spans" : "span", " fewer than ",
                            static_cast<int>(kFewSteps), " steps of ", limits.quant_max - limits.quant_min,
                            ": all channels share one scale, which reaches from ", NumberText(range.min), " to ", NumberText(range.max),
                            "; keep what computes it in float (`keep_float` '", Join(layers, "|"), "' `output_type` ", type,
                            "), or train it with its numbers normalized"));
}

// `input_ranges`: what the values that go into each input reach, normalized.
Expected<std::map<int32_t, Range>> ObserveAll(const Graph& graph, const Dataset& dataset,
                                              const CalibrationOptions& options,
                                              const WorkHooks& hooks,
                                              std::vector<ChannelRanges>& input_ranges,
                                              std::vector<ChannelExtents>& output_extents) {
  QAT_ASSIGN_OR_RETURN(FloatRun run, FloatRun::Create(graph));
  std::vector<Seen> observed = ObservedTensors(graph, options.observers);
  const auto observe = [&](int64_t) -> Status {
    for (size_t k = 0; k < input_ranges.size(); ++k) ObserveChannels(run.Input(k), input_ranges[k]);
    for (size_t k = 0; k < output_extents.size(); ++k) {
      if (!output_extents[k].empty()) ObserveExtents(run.Values(graph.outputs[k]), output_extents[k]);
    }
    for (Seen& seen : observed) {
      if (!Observe(run.Values(seen.tensor), seen))
        return Numerical(StrCat("output '", graph.tensor(seen.tensor).name, "' has a value that is not finite"));
    }
    return {};
  };
  QAT_RETURN_IF_ERROR(run.ForEach(dataset, options.chosen, hooks, observe));
  for (Seen& seen : observed) {
    if (seen.observer == Observer::kMovingAverage) seen.range = seen.average;
  }
  QAT_RETURN_IF_ERROR(ChooseByHistograms(dataset, options, hooks, run, observed));
  std::map<int32_t, Range> ranges;
  for (const Seen& seen : observed) ranges[seen.tensor] = seen.range;
  return ranges;
}

// Tensors that share a scale get the union of their ranges.
void Unite(const RangeGroups& groups, std::map<int32_t, Range>& ranges) {
  for (const RangeGroup& group : groups.groups) {
    Range all;
    const auto widen = [&](Range range) { all = {std::min(all.min, range.min), std::max(all.max, range.max)}; };
    for (const int32_t tensor : group.observed) widen(ranges.at(tensor));
    widen(group.constants);
    for (const int32_t tensor : group.observed) ranges[tensor] = all;
  }
}

void ForgetTrainedRanges(Graph& graph) {
  for (GraphTensor& tensor : graph.tensors) {
    tensor.has_range = false;
    tensor.range = {};
    tensor.limits = {};
  }
}

void SetRanges(const std::map<int32_t, Range>& ranges, QuantizedLimits limits, Graph& graph,
               std::vector<std::string>& warnings) {
  std::vector<std::string> dead;
  for (const auto& [index, range] : ranges) {
    GraphTensor& tensor = graph.tensor(index);
    tensor.has_range = true;
    tensor.range = range;
    tensor.limits = limits;
    if (range.min == 0 && range.max == 0) dead.push_back(tensor.name);
  }
  if (!dead.empty()) warnings.push_back(StrCat("ranges of width 0, only 0 was seen: ", Join(dead)));
}

}  // namespace

Status Calibrate(const Dataset& dataset, const CalibrationOptions& options, const WorkHooks& hooks,
                 Graph& graph, std::vector<std::string>& warnings) {
  const Precisions& precisions = options.precisions;
  QAT_CHECK(precisions.activations.type != DType::kFloat32);
  if (dataset.size() == 0) return Corrupt(StrCat(dataset.name, ": holds no images to calibrate with"));
  QAT_RETURN_IF_ERROR(CheckInputs(dataset, graph.contract, StrCat("network '", graph.name, "'")));
  std::vector<ChannelRanges> input_ranges;
  for (const InputContract& input : graph.contract.inputs) input_ranges.emplace_back(static_cast<size_t>(input.channels));
  QAT_RETURN_IF_ERROR(ExpectObserved(graph, options.observers));
  std::vector<ChannelExtents> output_extents;
  for (size_t i = 0; i < graph.outputs.size(); ++i) output_extents.push_back(ExtentsOf(graph, i));
  QAT_ASSIGN_OR_RETURN(auto ranges, ObserveAll(graph, dataset, options, hooks, input_ranges, output_extents));
  const bool trained = graph.provenance.contains(kTrainingDataKey);
  for (size_t i = 0; i < input_ranges.size(); ++i) {
    InputContract& input = graph.contract.inputs[i];
    if (input.values != ValueType::kReal) continue;
    Range range = UnionOf(input_ranges[i]);
    // What training saw stays within reach, whatever these examples show of it.
    if (trained) range = {std::min(range.min, input.low), std::max(range.max, input.high)};
    const bool any = range.min < range.max;
    input.low = any ? range.min : -1;
    input.high = any ? range.max : 1;
    WarnOfCoarseChannels(input, input_ranges[i], LimitsOf(precisions.activations), warnings);
  }
  QAT_ASSIGN_OR_RETURN(const std::string fingerprint, Fingerprint(dataset));
  const RangeGroups groups = FindRangeGroups(graph);
  Unite(groups, ranges);
  for (size_t i = 0; i < output_extents.size(); ++i)
    WarnOfCoarseOutput(graph, i, output_extents[i], ranges, groups, options, warnings);
  ForgetTrainedRanges(graph);
  SetRanges(ranges, LimitsOf(precisions.activations), graph, warnings);
  graph.scheme = NameOf(precisions);
  graph.provenance["calibration_images"] = std::to_string(dataset.size());
  graph.provenance["calibration_sha256"] = fingerprint;
  return {};
}

}  // namespace qat
