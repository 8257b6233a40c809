#include "calibrate/calibrate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "calibrate/coarse_channels.h"
#include "calibrate/coarse_columns.h"
#include "calibrate/flat_softmax.h"
#include "contract/provenance.h"
#include "ir/range_groups.h"
#include "plan/stays_real.h"

namespace qat {
namespace {

constexpr float kNewest = 0.05f;  // weight of an example in a moving average

OutputQuantization RuleOf(const GraphNode& node) { return DefinitionOf(node.type).output_quantization; }

// What a tensor did on the examples seen so far.
struct Seen {
  int32_t tensor = -1;
  std::optional<size_t> input;  // its position, where it is an input of the graph
  bool stays_real = false;      // between DEQUANTIZE and QUANTIZE
  Observer observer = Observer::kMinMax;
  Range range;    // holds 0 from the start
  Range average;  // of the ends of examples
  int64_t examples = 0;
};

// Kernels clamp infinity to the largest float.
bool IsFinite(float value) { return std::abs(value) < std::numeric_limits<float>::max(); }

// False where a value is not finite, which is left out.
bool Observe(std::span<const float> values, Seen& seen) {
  Range own;
  bool finite = true;
  for (const float value : values) {
    own.min = std::min(own.min, value);
    own.max = std::max(own.max, value);
    finite &= IsFinite(value);
  }
  if (!finite) own = {};
  for (size_t i = 0; !finite && i < values.size(); ++i) {
    if (IsFinite(values[i])) own = UnionOf(own, {values[i], values[i]});
  }
  const float weight = seen.examples++ == 0 ? 1 : kNewest;
  seen.average.min += weight * (own.min - seen.average.min);
  seen.average.max += weight * (own.max - seen.average.max);
  seen.range = UnionOf(seen.range, own);
  return finite;
}

std::span<const float> ValuesOf(const FloatRun& run, const Seen& seen) {
  return seen.input ? run.Input(*seen.input) : run.Values(seen.tensor);
}

/// Inputs of reals, whose range is that of their values unless they are named, and what has a range of its
/// own.
std::vector<Seen> ObservedTensors(const Graph& graph, const ObserverChoice& choice) {
  std::vector<Seen> observed;
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    if (graph.contract.inputs[i].values != ValueType::kReal) continue;
    const auto own = choice.by_name.find(graph.tensor(graph.inputs[i]).name);
    Seen seen;
    seen.tensor = graph.inputs[i];
    seen.input = i;
    if (own != choice.by_name.end()) seen.observer = own->second;
    observed.push_back(seen);
  }
  const std::vector<bool> real = StaysReal(graph);
  for (const GraphNode& node : graph.nodes) {
    for (const int32_t output : node.outputs) {
      if (graph.tensor(output).type != DType::kFloat32 || RuleOf(node) != OutputQuantization::kOwnRange)
        continue;
      const auto own = choice.by_name.find(graph.tensor(output).name);
      Seen seen;
      seen.tensor = output;
      seen.stays_real = real[static_cast<size_t>(output)];
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
Status ChooseByHistograms(const Dataset& dataset, const CalibrationOptions& options, const WorkHooks& hooks,
                          FloatRun& run, std::vector<Seen>& observed) {
  std::map<size_t, ValueCounts> histograms;
  for (size_t i = 0; i < observed.size(); ++i) {
    const Range& range = observed[i].range;
    if (NeedsHistogram(observed[i].observer) && range.min < range.max) histograms.emplace(i, range);
  }
  if (histograms.empty()) return {};
  const auto count = [&](int64_t) -> Status {
    for (auto& [i, histogram] : histograms) histogram.Add(ValuesOf(run, observed[i]));
    return {};
  };
  QAT_RETURN_IF_ERROR(run.ForEach(dataset, options.chosen, hooks, count));
  for (const auto& [i, histogram] : histograms)
    observed[i].range = ChooseRange(observed[i].observer, histogram, options.precisions.activations);
  return {};
}

// What the channels of an input took, normalized.
struct InputValues {
  explicit InputValues(const InputContract& input)
      : extents(static_cast<size_t>(input.channels)),
        sample(input.values == ValueType::kReal ? static_cast<size_t>(input.channels) : 0) {}
  ChannelExtents extents;
  ChannelSample sample;
};

// `outputs`: what those channels took that are watched.
Expected<std::map<int32_t, Range>> ObserveAll(const Graph& graph, const Dataset& dataset,
                                              const CalibrationOptions& options, const WorkHooks& hooks,
                                              std::vector<InputValues>& inputs,
                                              std::vector<ChannelExtents>& outputs,
                                              FlatSoftmaxes& softmaxes) {
  QAT_ASSIGN_OR_RETURN(FloatRun run, FloatRun::Create(graph));
  std::vector<Seen> observed = ObservedTensors(graph, options.observers);
  const auto observe = [&](int64_t) -> Status {
    for (size_t k = 0; k < inputs.size(); ++k) {
      inputs[k].extents.Observe(run.Input(k));
      inputs[k].sample.Observe(run.Input(k));
    }
    for (size_t k = 0; k < outputs.size(); ++k) {
      if (outputs[k].channels() > 0) outputs[k].Observe(run.Values(graph.outputs[k]));
    }
    softmaxes.Observe(run);
    for (Seen& seen : observed) {
      if (!Observe(ValuesOf(run, seen), seen) && !seen.stays_real)
        return Numerical(StrCat(seen.input ? "input '" : "output '", graph.tensor(seen.tensor).name,
                                "' has a value that is not finite; ",
                                seen.input ? "leave the example out"
                                           : "keep it in float (`keep_float`), or leave the example out"));
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
void Unite(const Graph& graph, const RangeGroups& groups, std::map<int32_t, Range>& ranges,
           std::vector<std::string>& warnings) {
  for (const RangeGroup& group : groups.groups) {
    if (group.observed.empty()) continue;
    Range seen;
    for (const int32_t tensor : group.observed) seen = UnionOf(seen, ranges.at(tensor));
    const Range all = group.With(seen);
    for (const float fill : group.Saturating(seen)) {
      warnings.push_back(
          StrCat("the constant ", fill, " beside values of '", graph.tensor(group.observed.front()).name,
                 "' becomes ", fill < all.min ? all.min : all.max,
                 ", the end of their range, as a mask may: a range that held it would leave them "
                 "fewer than 8 steps of 255"));
    }
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

// Of a network that was trained here, what training saw stays within reach, whatever these examples show of
// it; not where somebody chose how the range is found.
void SetInputRange(size_t index, Range range, const CalibrationOptions& options, Graph& graph) {
  InputContract& input = graph.contract.inputs[index];
  const bool chosen = options.observers.by_name.contains(graph.tensor(graph.inputs[index]).name);
  if (graph.provenance.contains(kTrainingDataKey) && !chosen)
    range = {std::min(range.min, input.low), std::max(range.max, input.high)};
  input.low = range.min;
  input.high = range.max;
}

}  // namespace

std::string Describe(const ObserverChoice& choice) {
  std::string text(NameOf(choice.usual));
  for (const auto& [name, observer] : choice.by_name) {
    if (observer != choice.usual) text += StrCat(",", name, "=", NameOf(observer));
  }
  return text == NameOf(Observer::kMinMax) ? "" : text;
}

Status Calibrate(const Dataset& dataset, const CalibrationOptions& options, const WorkHooks& hooks,
                 Graph& graph, std::vector<std::string>& warnings) {
  const Precisions& precisions = options.precisions;
  QAT_CHECK(precisions.activations.type != DType::kFloat32);
  if (dataset.size() == 0) return Corrupt(StrCat(dataset.name, ": holds no images to calibrate with"));
  QAT_RETURN_IF_ERROR(CheckInputs(dataset, graph.contract, StrCat("network '", graph.name, "'")));
  std::vector<InputValues> inputs(graph.contract.inputs.begin(), graph.contract.inputs.end());
  std::vector<ChannelExtents> outputs;
  for (size_t i = 0; i < graph.outputs.size(); ++i) outputs.push_back(ExtentsForOutput(graph, i));
  QAT_RETURN_IF_ERROR(ExpectObserved(graph, options.observers));
  FlatSoftmaxes softmaxes(graph, precisions, options.int16_nodes);
  QAT_ASSIGN_OR_RETURN(auto ranges, ObserveAll(graph, dataset, options, hooks, inputs, outputs, softmaxes));
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (graph.contract.inputs[i].values != ValueType::kReal) continue;
    const Range range = ranges.extract(graph.inputs[i]).mapped();
    SetInputRange(i, range, options, graph);
    const InputContract& input = graph.contract.inputs[i];
    const std::string& name = graph.tensor(graph.inputs[i]).name;
    const QuantizedLimits limits = LimitsOf(precisions.activations);
    for (const std::string& text :
         {DescribeCoarseInput(input, name, inputs[i].extents, limits),
          DescribeCrowdedInput(input, name, inputs[i].extents, inputs[i].sample, limits),
          DescribeCoarseColumns(graph, i, inputs[i].sample, precisions.filters)}) {
      if (!text.empty()) warnings.push_back(text);
    }
  }
  QAT_ASSIGN_OR_RETURN(const std::string fingerprint, Fingerprint(dataset));
  const RangeGroups groups = FindRangeGroups(graph);
  Unite(graph, groups, ranges, warnings);
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (std::string text = DescribeCoarseOutput(graph, i, outputs[i], ranges, groups, options); !text.empty())
      warnings.push_back(std::move(text));
  }
  if (std::string text = softmaxes.Describe(); !text.empty()) warnings.push_back(std::move(text));
  ForgetTrainedRanges(graph);
  SetRanges(ranges, LimitsOf(precisions.activations), graph, warnings);
  graph.scheme = NameOf(precisions);
  graph.provenance["calibration_images"] = std::to_string(dataset.size());
  graph.provenance[kCalibrationKey] = fingerprint;
  if (std::string observers = Describe(options.observers); !observers.empty())
    graph.provenance[kObserversKey] = std::move(observers);
  return {};
}

}  // namespace qat
