#include "freeze/freeze.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/hash.h"
#include "base/strings.h"
#include "base/version.h"
#include "spec/network_spec.h"

namespace qat {
namespace {

bool ExistsInTrainingOnly(const LayerSpec& layer) { return layer.definition().builtin_code < 0; }

bool OwnsRange(const LayerSpec& layer) {
  return layer.definition().output_quantization == OutputQuantization::kOwnRange;
}

std::string ParameterName(const LayerSpec& layer, const ParameterSpec& parameter) {
  return StrCat(layer.name, "/", parameter.suffix);
}

bool AllFinite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

/// Names of ranges that the network has under scheme uint8.
std::set<std::string> RangeNames(const NetworkSpec& spec) {
  std::set<std::string> names;
  for (const LayerSpec& layer : spec.layers) {
    if (OwnsRange(layer)) names.insert(layer.name);
    for (const ParameterSpec& parameter : layer.parameters) {
      if (parameter.role == ParameterSpec::Role::kFilter) names.insert(ParameterName(layer, parameter));
    }
  }
  return names;
}

/// Parameters are those of the spec, in its shapes, and finite.
Status CheckTensors(const Checkpoint& checkpoint, const NetworkSpec& spec) {
  std::set<std::string> known;
  std::vector<std::string> not_finite;
  for (const LayerSpec& layer : spec.layers) {
    for (const ParameterSpec& parameter : layer.parameters) {
      const std::string name = ParameterName(layer, parameter);
      known.insert(name);
      const auto found = checkpoint.tensors.find(name);
      if (found == checkpoint.tensors.end())
        return Corrupt(StrCat("layer '", layer.name, "' has no ", parameter.suffix));
      if (found->second.shape != parameter.shape) {
        return Corrupt(StrCat("'", name, "' is ", ToString(found->second.shape), ", its network says ",
                              ToString(parameter.shape)));
      }
      if (!AllFinite(found->second.values)) not_finite.push_back(name);
    }
  }
  for (const auto& [name, tensor] : checkpoint.tensors) {
    if (!known.contains(name))
      return Corrupt(StrCat("tensor '", name, "' belongs to no layer of its network"));
  }
  if (not_finite.empty()) return {};
  return Numerical(StrCat("values that are not finite in: ", Join(not_finite), "; the training diverged"));
}

/// Every range is there, finite, and of the network.
Status CheckRanges(const Checkpoint& checkpoint, const NetworkSpec& spec) {
  const std::set<std::string> expected = RangeNames(spec);
  std::vector<std::string> missing;
  for (const std::string& name : expected) {
    if (!checkpoint.ranges.contains(name)) missing.push_back(name);
  }
  if (!missing.empty()) {
    return Corrupt(StrCat("scheme is uint8, but these have no trained range: ", Join(missing)));
  }
  for (const auto& [name, trained] : checkpoint.ranges) {
    if (!expected.contains(name))
      return Corrupt(StrCat("range '", name, "' belongs to no layer of its network"));
    const Range& r = trained.range;
    if (!std::isfinite(r.max - r.min)) {
      return Numerical(StrCat("range '", name, "' is [", r.min, ", ", r.max, "], expected finite ends"));
    }
    if (r.min > r.max)
      return Corrupt(StrCat("range '", name, "' is [", r.min, ", ", r.max, "], its ends are swapped"));
  }
  return {};
}

/// Ranges that still moved, and layers that never gave anything but 0.
Status JudgeRanges(const Checkpoint& checkpoint, const FreezeOptions& options,
                   std::vector<std::string>& warnings) {
  std::vector<std::string> unsettled;
  std::vector<std::string> dead;
  for (const auto& [name, trained] : checkpoint.ranges) {
    if (!(trained.drift <= options.max_drift)) unsettled.push_back(StrCat(name, " (", trained.drift, ")"));
    if (trained.range.min == 0 && trained.range.max == 0) dead.push_back(name);
  }
  if (!unsettled.empty()) {
    const std::string text = StrCat("ranges not settled, moved by more than ", options.max_drift,
                                    " of their width over the last tenth of training: ", Join(unsettled));
    if (options.strict) return Numerical(text);
    warnings.push_back(StrCat(text, "; train longer, or let --strict refuse them"));
  }
  if (!dead.empty()) warnings.push_back(StrCat("ranges of width 0, nothing but 0 was seen: ", Join(dead)));
  return {};
}

/// Builds the graph layer by layer; tensors are named after layers.
class GraphBuilder {
 public:
  GraphBuilder(const Checkpoint& checkpoint, const NetworkSpec& spec)
      : checkpoint_(checkpoint), spec_(spec) {}

  Expected<Graph> Build() {
    graph_.name = spec_.name;
    graph_.scheme = checkpoint_.scheme;
    graph_.contract = checkpoint_.contract;
    graph_.provenance = checkpoint_.provenance;
    graph_.provenance["checkpoint_sha256"] = Sha256(Serialize(checkpoint_));
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
    std::vector<int32_t> inputs;
    for (int32_t input : layer.inputs) inputs.push_back(OutputOf(input));
    for (const ParameterSpec& parameter : layer.parameters) inputs.push_back(AddParameter(layer, parameter));
    if (layer.definition().index_operands != nullptr) {
      const Shape& shape = spec_.ShapeOf(layer.inputs[0]);
      for (const IndexOperand& operand : layer.definition().index_operands(layer.attributes, shape)) {
        inputs.push_back(
            graph_.AddConstant(StrCat(layer.name, "/", operand.suffix), operand.shape, operand.values));
      }
    }
    QAT_ASSIGN_OR_RETURN(const int32_t output,
                         graph_.AddNode(layer.type, layer.name, layer.attributes, std::move(inputs)));
    if (OwnsRange(layer)) SetRange(output, layer.name, kUInt8Limits);
    return output;
  }

  int32_t AddParameter(const LayerSpec& layer, const ParameterSpec& parameter) {
    const std::string name = ParameterName(layer, parameter);
    const int32_t index = graph_.AddConstant(name, parameter.shape, checkpoint_.tensors.at(name).values);
    if (parameter.role == ParameterSpec::Role::kFilter) SetRange(index, name, kUInt8NarrowLimits);
    return index;
  }

  /// Only scheme uint8 has ranges; those found in a float32 checkpoint were not trained with.
  void SetRange(int32_t index, const std::string& name, QuantizedLimits limits) {
    if (checkpoint_.scheme != "uint8") return;
    GraphTensor& tensor = graph_.tensor(index);
    tensor.has_range = true;
    tensor.range = IncludingZero(checkpoint_.ranges.at(name).range);
    tensor.limits = limits;
  }

  const Checkpoint& checkpoint_;
  const NetworkSpec& spec_;
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
  if (checkpoint.scheme == "uint8") {
    QAT_RETURN_IF_ERROR(CheckRanges(checkpoint, *spec));
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
