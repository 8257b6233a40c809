#include "calibrate/coarse_channels.h"

#include <algorithm>

#include "base/join_some.h"
#include "base/strings.h"
#include "contract/input_params.h"
#include "quant/few_steps.h"

namespace qat {
namespace {

int32_t StepsOf(QuantizedLimits limits) { return limits.quant_max - limits.quant_min; }

// "channels 0, 1 of the input span fewer than 8 steps of 255: all channels share one scale, which reaches
// from -1 to 300"
std::string Sentence(const std::vector<size_t>& coarse, const std::string& of, Range range,
                     QuantizedLimits limits) {
  std::vector<std::string> numbers;
  for (const size_t channel : coarse) numbers.push_back(std::to_string(channel));
  const bool one = coarse.size() == 1;
  return StrCat(one ? "channel " : "channels ", JoinSome(numbers, 8), " of the ", of,
                one ? " spans" : " span", " fewer than ", kFewSteps, " steps of ", StepsOf(limits),
                ": all channels share one scale, which reaches from ", NumberText(range.min), " to ",
                NumberText(range.max));
}

bool Gives(const GraphNode& node, int32_t tensor) {
  return std::find(node.outputs.begin(), node.outputs.end(), tensor) != node.outputs.end();
}

// The layers that compute real numbers where an output does: from the one whose range it has to the last one.
std::vector<std::string> LayersOf(const Graph& graph, int32_t output) {
  std::vector<std::string> layers;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (!Gives(*node, output)) continue;
    const bool changes_form = node->type == OpType::kQuantize;
    if (!changes_form) layers.insert(layers.begin(), node->name);
    if (OwnsRange(*node) && !changes_form) break;
    output = node->inputs[0];
  }
  return layers;
}

bool StaysReal(const Graph& graph, size_t index, const std::vector<bool>& float_outputs) {
  if (index >= float_outputs.size() || !float_outputs[index]) return false;
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const GraphNode& node) {
    return node.type == OpType::kQuantize && Gives(node, graph.outputs[index]);
  });
}

}  // namespace

void ChannelExtents::Observe(std::span<const float> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    std::optional<Range>& extent = extents_[i % extents_.size()];
    if (!extent) extent = Range{values[i], values[i]};
    extent = Range{std::min(extent->min, values[i]), std::max(extent->max, values[i])};
  }
}

Range ChannelExtents::Reach() const {
  Range all;
  for (const auto& extent : extents_) {
    if (extent) all = {std::min(all.min, extent->min), std::max(all.max, extent->max)};
  }
  return all;
}

std::vector<size_t> ChannelExtents::Coarse(Range range, QuantizedLimits limits) const {
  const float step = (range.max - range.min) / static_cast<float>(StepsOf(limits));
  std::vector<size_t> coarse;
  for (size_t c = 0; c < extents_.size(); ++c) {
    const float width = extents_[c] ? extents_[c]->max - extents_[c]->min : 0;
    if (width > 0 && width < kFewSteps * step) coarse.push_back(c);
  }
  return coarse;
}

ChannelExtents ExtentsForOutput(const Graph& graph, size_t index) {
  const GraphTensor& output = graph.tensor(graph.outputs[index]);
  const auto& outputs = graph.contract.outputs;
  const bool scores = index < outputs.size() && outputs[index].task == Task::kClasses;
  const bool has_channels =
      output.type == DType::kFloat32 && !output.shape.empty() && output.shape.back() > 0;
  return ChannelExtents(has_channels && !scores ? static_cast<size_t>(output.shape.back()) : 0);
}

std::string DescribeCoarseInput(const InputContract& input, const std::string& tensor,
                                const ChannelExtents& extents, QuantizedLimits limits) {
  const Range range = RealRangeOf(input);
  const std::vector<size_t> coarse = extents.Coarse(range, limits);
  if (coarse.empty()) return "";
  const std::string of = input.name.empty() ? "input" : StrCat("input '", input.name, "'");
  const auto is_not = [](float usual) { return [usual](float value) { return value != usual; }; };
  const bool normalized = std::any_of(input.mean.begin(), input.mean.end(), is_not(0)) ||
                          std::any_of(input.std.begin(), input.std.end(), is_not(1));
  return StrCat(Sentence(coarse, of, range, limits),
                normalized ? StrCat("; training saw values that far: train without them if they are no "
                                    "measurements, or leave them out (`observer` ",
                                    tensor, "=percentile)")
                           : "; let the network begin with (x - mean) / std per channel");
}

std::string DescribeCrowdedInput(const InputContract& input, const std::string& tensor,
                                 const ChannelExtents& extents, const ChannelSample& sample,
                                 QuantizedLimits limits) {
  const Range range = RealRangeOf(input);
  const std::vector<size_t> coarse = extents.Coarse(range, limits);
  const double step = (double{range.max} - range.min) / StepsOf(limits);
  std::vector<std::string> crowded;
  for (size_t c = 0; c < sample.channels() && step > 0; ++c) {
    if (std::find(coarse.begin(), coarse.end(), c) != coarse.end()) continue;
    if (StepsOfMost(sample.Of(c), step) < kFewSteps)
      crowded.push_back(c < input.features.size() ? StrCat("'", input.features[c], "'") : StrCat(c));
  }
  if (crowded.empty()) return "";
  return StrCat(
      input.features.empty() ? "channel" : "column", crowded.size() == 1 ? " " : "s ", JoinSome(crowded, 8),
      " of the input", input.name.empty() ? "" : StrCat(" '", input.name, "'"),
      ": nine of ten values lie within fewer than ", kFewSteps, " steps of ", StepsOf(limits),
      ", since single ones reach from ", NumberText(range.min), " to ", NumberText(range.max),
      "; give the network their logarithms, give the layers that read them 16-bit activations (`int16`, "
      "with `type` int8), or leave single values out (`observer` ",
      tensor, "=percentile)");
}

std::string DescribeCoarseOutput(const Graph& graph, size_t index, const ChannelExtents& extents,
                                 const std::map<int32_t, Range>& ranges, const RangeGroups& groups,
                                 const CalibrationOptions& options) {
  const int32_t output = graph.outputs[index];
  if (extents.channels() == 0 || groups.of_tensor[static_cast<size_t>(output)] < 0) return "";
  const RangeGroup& group = groups.Of(output);
  if (group.observed.empty() || group.holds_input || group.fixed_uint8 ||
      StaysReal(graph, index, options.float_outputs))
    return "";
  const Range range = ranges.at(group.observed.front());
  const QuantizedLimits limits = LimitsOf(options.precisions.activations);
  const std::vector<size_t> coarse = extents.Coarse(range, limits);
  if (coarse.empty()) return "";
  const std::string& name = graph.tensor(output).name;
  const std::string type = graph.outputs.size() == 1 ? "float32" : StrCat(name, "=float32");
  return StrCat(Sentence(coarse, StrCat("output '", name, "'"), range, limits),
                "; keep what computes it in float (`keep_float` '", Join(LayersOf(graph, output), "|"),
                "' `output_type` ", type, "), or train it with its numbers normalized");
}

}  // namespace qat
