#include "freeze/freeze.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <set>

#include "base/hash.h"
#include "base/strings.h"
#include "base/version.h"
#include "checkpoint/check_numbers.h"
#include "ops/input_order.h"
#include "quant/batch_norm.h"
#include "quant/scheme.h"
#include "spec/network_spec.h"
#include "spec/range_groups.h"

namespace qat {
namespace {

bool ExistsInTrainingOnly(const LayerSpec& layer) { return layer.definition().builtin_code < 0; }

bool OwnsRange(const LayerSpec& layer) {
  return layer.definition().output_quantization == OutputQuantization::kOwnRange;
}

std::string ParameterName(const LayerSpec& layer, const ParameterSpec& parameter) {
  return StrCat(layer.name, "/", parameter.suffix);
}

/// Two significant digits.
std::string RoundedText(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2g", value);
  return text;
}

/// Names of ranges that the network has under a quantized scheme: filters per axis take theirs from their values.
std::set<std::string> RangeNames(const NetworkSpec& spec, Scheme scheme) {
  std::set<std::string> names;
  for (const LayerSpec& layer : spec.layers) {
    if (OwnsRange(layer)) names.insert(layer.name);
    for (const ParameterSpec& parameter : layer.parameters) {
      const bool filter = parameter.role == ParameterSpec::Role::kFilter;
      if (filter && !FiltersPerAxis(scheme)) names.insert(ParameterName(layer, parameter));
    }
  }
  return names;
}

/// Parameters are those of the spec, in its shapes; they and the ranges are numbers.
Status CheckTensors(const Checkpoint& checkpoint, const NetworkSpec& spec) {
  std::set<std::string> known;
  for (const LayerSpec& layer : spec.layers) {
    for (const ParameterSpec& parameter : TrainedParameters(layer)) {
      const std::string name = ParameterName(layer, parameter);
      known.insert(name);
      const auto found = checkpoint.tensors.find(name);
      if (found == checkpoint.tensors.end())
        return Corrupt(StrCat("layer '", layer.name, "' has no ", parameter.suffix));
      if (found->second.shape != parameter.shape) {
        return Corrupt(StrCat("'", name, "' is ", ToString(found->second.shape), ", its network says ",
                              ToString(parameter.shape)));
      }
      if (parameter.role == ParameterSpec::Role::kMovingVariance) {
        const auto low = std::min_element(found->second.values.begin(), found->second.values.end());
        if (*low < 0)
          return Corrupt(StrCat("'", name, "' holds the variance ", *low, ", expected at least 0"));
      }
    }
  }
  for (const auto& [name, tensor] : checkpoint.tensors) {
    if (!known.contains(name))
      return Corrupt(StrCat("tensor '", name, "' belongs to no layer of its network"));
  }
  return CheckNumbers(checkpoint);
}

/// Every range is there, and of the network.
Status CheckRanges(const Checkpoint& checkpoint, const NetworkSpec& spec, Scheme scheme) {
  const std::set<std::string> expected = RangeNames(spec, scheme);
  std::vector<std::string> missing;
  for (const std::string& name : expected) {
    if (!checkpoint.ranges.contains(name)) missing.push_back(name);
  }
  if (!missing.empty()) {
    return Corrupt(
        StrCat("scheme is ", checkpoint.scheme, ", but these have no trained range: ", Join(missing)));
  }
  for (const auto& [name, trained] : checkpoint.ranges) {
    if (!expected.contains(name))
      return Corrupt(StrCat("range '", name, "' belongs to no layer of its network"));
  }
  return {};
}

/// Ranges that still moved, and layers that never gave anything but 0.
Status JudgeRanges(const Checkpoint& checkpoint, const FreezeOptions& options,
                   std::vector<std::string>& warnings) {
  std::vector<std::string> unsettled;
  std::vector<std::string> dead;
  for (const auto& [name, trained] : checkpoint.ranges) {
    if (!(trained.drift <= options.max_drift)) unsettled.push_back(StrCat(name, " (", RoundedText(trained.drift), ")"));
    if (trained.range.min == 0 && trained.range.max == 0) dead.push_back(name);
  }
  if (!unsettled.empty()) {
    const std::string text = StrCat("ranges not settled, moved by more than ", options.max_drift,
                                    " of their width over the last tenth of training: ", Join(unsettled));
    if (options.strict) return Numerical(text);
    warnings.push_back(StrCat(text, "; train longer, or let `strict` refuse them"));
  }
  if (!dead.empty()) warnings.push_back(StrCat("ranges of width 0, only 0 was seen: ", Join(dead)));
  return {};
}

/// Batch norms that are folded with moving averages which do not fit their data.
Status JudgeBatchNorms(const Checkpoint& checkpoint, const FreezeOptions& options,
                       std::vector<std::string>& warnings) {
  std::vector<std::string> unsettled;
  for (const auto& [layer, gap] : checkpoint.batch_norm_gaps) {
    if (!(gap <= options.max_batch_norm_gap)) unsettled.push_back(StrCat(layer, " (", RoundedText(gap), ")"));
  }
  if (unsettled.empty()) return {};
  const std::string text =
      StrCat("batch norm statistics not settled, more than ", options.max_batch_norm_gap,
             " deviations from those of other batches: ", Join(unsettled),
             "; train longer, with larger batches or a later `bn_freeze`");
  if (options.strict) return Numerical(text);
  warnings.push_back(text);
  return {};
}

/// Builds the graph layer by layer; tensors are named after layers.
class GraphBuilder {
 public:
  GraphBuilder(const Checkpoint& checkpoint, const NetworkSpec& spec)
      : checkpoint_(checkpoint),
        spec_(spec),
        groups_(FindRangeGroups(spec)),
        scheme_(SchemeFromName(checkpoint.scheme).value()) {}

  Expected<Graph> Build() {
    graph_.name = spec_.name;
    graph_.scheme = checkpoint_.scheme;
    graph_.contract = checkpoint_.contract;
    graph_.provenance = checkpoint_.provenance;
    graph_.provenance["checkpoint_sha256"] = Sha256(Serialize(checkpoint_));
    graph_.provenance["spec_sha256"] = Sha256(checkpoint_.spec_text);
    graph_.provenance["config_sha256"] = Sha256(checkpoint_.config_text);
    graph_.provenance["tool_version"] = Version();
    GraphTensor input;
    input.name = "input";
    input.shape = spec_.input_shape;
    input_ = graph_.AddTensor(std::move(input));
    graph_.inputs = {input_};
    for (const LayerSpec& layer : spec_.layers) {
      QAT_ASSIGN_OR_RETURN(const int32_t output, AddLayer(layer));
      outputs_.push_back(output);
    }
    graph_.outputs = {outputs_.empty() ? input_ : outputs_.back()};
    return std::move(graph_);
  }

 private:
  int32_t OutputOf(int32_t layer) const {
    return layer == kNetworkInput ? input_ : outputs_[static_cast<size_t>(layer)];
  }

  Expected<int32_t> AddLayer(const LayerSpec& layer) {
    if (ExistsInTrainingOnly(layer)) return OutputOf(layer.inputs[0]);
    const auto* split = std::get_if<SplitAttributes>(&layer.attributes);
    if (split != nullptr && split->part > 0) return OutputOfSplit(layer, *split);
    // "cut:0" is part 0 of "cut".
    const std::string name = split == nullptr ? layer.name : SplitText(layer.name, ':')[0];
    std::vector<int32_t> data;
    for (int32_t input : layer.inputs) data.push_back(OutputOf(input));
    std::vector<std::pair<ParameterSpec::Role, int32_t>> parameters = AddParameters(layer);
    std::vector<int32_t> indices;
    if (layer.definition().index_operands != nullptr) {
      const Shape& shape = spec_.ShapeOf(layer.inputs[0]);
      for (const IndexOperand& operand : layer.definition().index_operands(layer.attributes, shape)) {
        indices.push_back(
            graph_.AddConstant(StrCat(name, "/", operand.suffix), operand.shape, operand.values));
      }
    }
    QAT_ASSIGN_OR_RETURN(const int32_t output,
                         graph_.AddNode(layer.type, name, layer.attributes,
                                        OrderInputs(layer.definition(), data, parameters, indices)));
    if (OwnsRange(layer)) SetRange(output, GroupRange(layer), ActivationLimits());
    return output;
  }

  /// A spec has one layer for each part, one after the other; of these the first has made the node.
  int32_t OutputOfSplit(const LayerSpec& layer, const SplitAttributes& split) const {
    const GraphNode& node = graph_.nodes.back();
    QAT_CHECK(node.type == layer.type && std::ssize(node.outputs) == split.splits);
    return node.outputs[static_cast<size_t>(split.part)];
  }

  std::vector<std::pair<ParameterSpec::Role, int32_t>> AddParameters(const LayerSpec& layer) {
    std::vector<std::pair<ParameterSpec::Role, int32_t>> added;
    std::optional<FoldedFilter> folded;
    if (layer.batch_norm) folded = Fold(layer);
    for (const ParameterSpec& parameter : layer.parameters) {
      const std::string name = ParameterName(layer, parameter);
      const bool filter = parameter.role == ParameterSpec::Role::kFilter;
      const std::vector<float>& values =
          folded ? (filter ? folded->filter : folded->bias) : checkpoint_.tensors.at(name).values;
      const int32_t index = graph_.AddConstant(name, parameter.shape, values);
      if (filter && scheme_ == Scheme::kUInt8) {
        SetRange(index, checkpoint_.ranges.at(name).range, kUInt8NarrowLimits);
      }
      added.emplace_back(parameter.role, index);
    }
    return added;
  }

  FoldedFilter Fold(const LayerSpec& layer) const {
    const auto values = [&](std::string_view suffix) -> const std::vector<float>& {
      return checkpoint_.tensors.at(StrCat(layer.name, "/", suffix)).values;
    };
    const Shape& shape = layer.parameters[0].shape;
    const auto axis = static_cast<size_t>(layer.definition().filter_channel_axis);
    size_t inner = 1;
    for (size_t i = axis + 1; i < shape.size(); ++i) inner *= static_cast<size_t>(shape[i]);
    return FoldBatchNorm(values("filter"), inner,
                         {values("gamma"), values("beta"), values("moving_mean"), values("moving_variance"),
                          double{layer.batch_norm->epsilon}});
  }

  /// The union over all layers that share their range with this one.
  Range GroupRange(const LayerSpec& layer) const {
    Range all;
    if (scheme_ == Scheme::kFloat32) return all;
    const auto index = static_cast<int32_t>(&layer - spec_.layers.data());
    for (const int32_t member : groups_.Of(index).observed) {
      const Range range =
          IncludingZero(checkpoint_.ranges.at(spec_.layers[static_cast<size_t>(member)].name).range);
      all = {std::min(all.min, range.min), std::max(all.max, range.max)};
    }
    return all;
  }

  QuantizedLimits ActivationLimits() const {
    return scheme_ == Scheme::kFloat32 ? kUInt8Limits : ActivationLimitsOf(scheme_);
  }

  /// Ranges found in a float32 checkpoint were not trained with.
  void SetRange(int32_t index, Range range, QuantizedLimits limits) {
    if (scheme_ == Scheme::kFloat32) return;
    GraphTensor& tensor = graph_.tensor(index);
    tensor.has_range = true;
    tensor.range = IncludingZero(range);
    tensor.limits = limits;
  }

  const Checkpoint& checkpoint_;
  const NetworkSpec& spec_;
  const RangeGroups groups_;
  const Scheme scheme_;
  Graph graph_;
  int32_t input_ = 0;
  std::vector<int32_t> outputs_;  // tensor of each layer
};

}  // namespace

Expected<Graph> Freeze(const Checkpoint& checkpoint, const FreezeOptions& options,
                       std::vector<std::string>& warnings) {
  auto spec = ParseNetworkSpec(checkpoint.spec_text, checkpoint.spec_source);
  // The user gave a checkpoint, not a spec: its spec being wrong means that the file is.
  if (!spec.ok()) return Corrupt(spec.error().message);
  QAT_RETURN_IF_ERROR(CheckTensors(checkpoint, *spec));
  const std::optional<Scheme> scheme = SchemeFromName(checkpoint.scheme);
  if (!scheme)
    return Unsupported(StrCat("scheme is '", checkpoint.scheme, "', expected float32, uint8 or int8"));
  QAT_RETURN_IF_ERROR(JudgeBatchNorms(checkpoint, options, warnings));
  if (*scheme != Scheme::kFloat32) {
    QAT_RETURN_IF_ERROR(CheckRanges(checkpoint, *spec, *scheme));
    QAT_RETURN_IF_ERROR(JudgeRanges(checkpoint, options, warnings));
    const auto quantizing = checkpoint.metrics.find("fake_quantize");
    if (quantizing != checkpoint.metrics.end() && quantizing->second == 0) {
      warnings.push_back(
          StrCat("at step ", checkpoint.step,
                 " fake quantization was not switched on yet: the weights have not adapted to it"));
    }
  }
  QAT_ASSIGN_OR_RETURN(Graph graph, GraphBuilder(checkpoint, *spec).Build());
  QAT_RETURN_IF_ERROR(Verify(graph));
  return graph;
}

}  // namespace qat
