#include "freeze/freeze.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/hash.h"
#include "base/join_some.h"
#include "base/slices.h"
#include "base/strings.h"
#include "base/version.h"
#include "checkpoint/check_numbers.h"
#include "checkpoint/filter_ranges.h"
#include "contract/provenance.h"
#include "ir/range_groups.h"
#include "ir/separate_biases.h"
#include "ops/integer_kernels.h"
#include "quant/batch_norm.h"
#include "quant/precision.h"

namespace qat {
namespace {

using Role = ParameterSpec::Role;

constexpr size_t kWorstShown = 5;

bool ExistsInTrainingOnly(const GraphNode& node) { return node.definition().builtin_code < 0; }

/// Two significant digits.
std::string RoundedText(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2g", value);
  return text;
}

/// Names of ranges that the network has under a quantized scheme: filters per axis take theirs from their
/// values.
std::set<std::string> RangeNames(const Graph& network, const Precisions& precisions) {
  std::set<std::string> names;
  for (const GraphNode& node : network.nodes) {
    for (const int32_t output : node.outputs) {
      if (OwnsRange(node)) names.insert(network.tensor(output).name);
    }
    for (const int32_t index : TrainedTensorsOf(network, node)) {
      const GraphTensor& tensor = network.tensor(index);
      if (tensor.trained->role == Role::kFilter && !FilterPrecision(node.type, precisions).per_axis())
        names.insert(tensor.name);
    }
  }
  return names;
}

Status CheckTensor(const Checkpoint& checkpoint, const GraphTensor& tensor, const std::string& node) {
  const auto found = checkpoint.tensors.find(tensor.name);
  if (found == checkpoint.tensors.end())
    return Corrupt(StrCat("layer '", node, "' has no ", SuffixOf(tensor.name, node)));
  if (found->second.shape != tensor.shape) {
    return Corrupt(StrCat("'", tensor.name, "' is ", ToString(found->second.shape), ", its network says ",
                          ToString(tensor.shape)));
  }
  if (tensor.trained->role == Role::kMovingVariance) {
    const auto low = std::min_element(found->second.values.begin(), found->second.values.end());
    if (*low < 0)
      return Corrupt(StrCat("'", tensor.name, "' holds the variance ", *low, ", expected at least 0"));
  }
  return {};
}

/// Parameters are those of the network, in its shapes; they and the ranges are numbers.
Status CheckTensors(const Checkpoint& checkpoint, const Graph& network) {
  std::set<std::string> known;
  for (const GraphNode& node : network.nodes) {
    for (const int32_t index : TrainedTensorsOf(network, node)) {
      known.insert(network.tensor(index).name);
      QAT_RETURN_IF_ERROR(CheckTensor(checkpoint, network.tensor(index), node.name));
    }
  }
  for (const auto& [name, tensor] : checkpoint.tensors) {
    if (!known.contains(name))
      return Corrupt(StrCat("tensor '", name, "' belongs to no layer of its network"));
  }
  QAT_RETURN_IF_ERROR(CheckFilterRanges(checkpoint));
  return CheckNumbers(checkpoint);
}

/// Every range is there, and of the network.
Status CheckRanges(const Checkpoint& checkpoint, const Graph& network, const Precisions& precisions) {
  const std::set<std::string> expected = RangeNames(network, precisions);
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

/// "12 of 20: conv7 (0.9), conv3 (0.8), … and 7 more": those above `most`, the worst first. Empty: none is.
template <class ValueOf, class Map>
std::string WorstAbove(const Map& values, double most, ValueOf value_of) {
  std::vector<std::pair<double, std::string>> above;
  for (const auto& [name, value] : values) {
    if (!(value_of(value) <= most)) above.emplace_back(value_of(value), name);
  }
  if (above.empty()) return "";
  // What is not a number is the worst.
  const auto worse = [](const auto& a, const auto& b) {
    return std::isnan(a.first) != std::isnan(b.first) ? std::isnan(a.first) : a.first > b.first;
  };
  std::stable_sort(above.begin(), above.end(), worse);
  std::vector<std::string> texts;
  for (const auto& [value, name] : above) texts.push_back(StrCat(name, " (", RoundedText(value), ")"));
  return StrCat(above.size(), " of ", values.size(), ": ", JoinSome(texts, kWorstShown));
}

/// Ranges that still moved, and layers that never gave anything but 0.
Status JudgeRanges(const Checkpoint& checkpoint, const FreezeOptions& options,
                   std::vector<std::string>& warnings) {
  const std::string unsettled =
      WorstAbove(checkpoint.ranges, options.max_drift, [](const NamedRange& range) { return range.drift; });
  std::vector<std::string> dead;
  for (const auto& [name, trained] : checkpoint.ranges) {
    if (trained.range.min == 0 && trained.range.max == 0) dead.push_back(name);
  }
  if (!unsettled.empty()) {
    const std::string text = StrCat("ranges not settled, moved by more than ", options.max_drift,
                                    " of their width over the last tenth of training, ", unsettled);
    if (options.strict) return Numerical(text);
    warnings.push_back(StrCat(text, "; train longer, or let `strict` refuse them"));
  }
  if (!dead.empty())
    warnings.push_back(StrCat("ranges of width 0, only 0 was seen: ", JoinSome(dead, kWorstShown)));
  return {};
}

/// Batch norms that are folded with moving averages which do not fit their data.
Status JudgeBatchNorms(const Checkpoint& checkpoint, const FreezeOptions& options,
                       std::vector<std::string>& warnings) {
  const std::string unsettled =
      WorstAbove(checkpoint.batch_norm_gaps, options.max_batch_norm_gap, [](double gap) { return gap; });
  if (unsettled.empty()) return {};
  const std::string text = StrCat("batch norm statistics not settled, more than ", options.max_batch_norm_gap,
                                  " deviations from those of other batches, ", unsettled,
                                  "; train longer, with larger batches or a later `bn_freeze`");
  if (options.strict) return Numerical(text);
  warnings.push_back(text);
  return {};
}

/// Builds the frozen graph from the trainable one, tensor by tensor and node by node, in its order.
class Freezer {
 public:
  Freezer(const Checkpoint& checkpoint, const Graph& network)
      : checkpoint_(checkpoint),
        network_(network),
        groups_(FindRangeGroups(network)),
        precisions_(PrecisionsFromName(checkpoint.scheme).value()),
        moved_(network.tensors.size(), -1) {}

  Graph Run() {
    graph_.name = network_.name;
    graph_.scheme = checkpoint_.scheme;
    graph_.signature = network_.signature;
    graph_.contract = checkpoint_.contract;
    graph_.provenance = checkpoint_.provenance;
    graph_.provenance["checkpoint_sha256"] = FileHash(checkpoint_);
    if (const auto text = network_.provenance.find(kSourceTextKey); text != network_.provenance.end())
      graph_.provenance["spec_sha256"] = Sha256(text->second);
    graph_.provenance["config_sha256"] = Sha256(checkpoint_.config_text);
    graph_.provenance["tool_version"] = Version();
    NoteNodes();
    for (size_t i = 0; i < network_.tensors.size(); ++i) Place(static_cast<int32_t>(i));
    for (const GraphNode& node : network_.nodes) {
      if (!ExistsInTrainingOnly(node)) graph_.nodes.push_back(FrozenNode(node));
    }
    for (const int32_t input : network_.inputs) graph_.inputs.push_back(PlaceOf(input));
    for (const int32_t output : network_.outputs) graph_.outputs.push_back(PlaceOf(output));
    return std::move(graph_);
  }

 private:
  /// Who has a filter or a batch normalization, and what vanishes.
  void NoteNodes() {
    for (const GraphNode& node : network_.nodes) {
      if (node.definition().filter_input >= 0) filters_[FilterOf(node)] = &node;
      if (ExistsInTrainingOnly(node)) passed_on_[node.output()] = node.inputs[0];
      if (OwnsRange(node)) observed_.insert(node.outputs.begin(), node.outputs.end());
      if (!node.batch_norm) continue;
      normalized_[FilterOf(node)] = &node;
      // The bias takes the place of the first tensor of the batch normalization.
      normalized_[node.batch_norm->gamma] = &node;
    }
  }

  static int32_t FilterOf(const GraphNode& node) {
    return node.inputs[static_cast<size_t>(node.definition().filter_input)];
  }

  int32_t PlaceOf(int32_t tensor) const {
    for (auto found = passed_on_.find(tensor); found != passed_on_.end(); found = passed_on_.find(tensor))
      tensor = found->second;
    return moved_[static_cast<size_t>(tensor)];
  }

  void Place(int32_t index) {
    const GraphTensor& tensor = network_.tensor(index);
    if (passed_on_.contains(index)) return;
    int32_t& place = moved_[static_cast<size_t>(index)];
    if (tensor.trained) {
      const auto node = normalized_.find(index);
      if (node != normalized_.end()) {
        place = PlaceFolded(*node->second, tensor);
      } else if (!IsStatistic(tensor.trained->role)) {
        const auto filter = filters_.find(index);
        place = graph_.AddConstant(tensor.name, tensor.shape,
                                   filter == filters_.end() ? checkpoint_.tensors.at(tensor.name).values
                                                            : FilterValues(*filter->second));
      }
      const auto filter = filters_.find(index);
      if (filter == filters_.end()) return;
      const Precision precision = FilterPrecision(filter->second->type, precisions_);
      if (!precision.is_real() && !precision.per_axis())
        SetRange(place, checkpoint_.ranges.at(tensor.name).range, LimitsOf(precision));
      return;
    }
    place = graph_.AddTensor(tensor);
    if (observed_.contains(index)) SetRange(place, GroupRange(index), ActivationLimits());
  }

  static bool IsStatistic(Role role) {
    return role == Role::kBeta || role == Role::kMovingMean || role == Role::kMovingVariance;
  }

  /// The filter, or the bias in the place of gamma.
  int32_t PlaceFolded(const GraphNode& node, const GraphTensor& tensor) {
    const FoldedFilter folded = Fold(node);
    if (tensor.trained->role == Role::kFilter)
      return graph_.AddConstant(tensor.name, tensor.shape, folded.filter);
    return graph_.AddConstant(StrCat(node.name, "/bias"), tensor.shape, folded.bias);
  }

  std::vector<float> FilterValues(const GraphNode& node) const {
    return DeployedFilter(checkpoint_, network_.tensor(FilterOf(node)).name, node.definition());
  }

  FoldedFilter Fold(const GraphNode& node) const {
    const auto values = [&](int32_t index) -> const std::vector<float>& {
      return checkpoint_.tensors.at(network_.tensor(index).name).values;
    };
    const FusedBatchNorm& norm = *node.batch_norm;
    const Shape& shape = network_.tensor(FilterOf(node)).shape;
    const auto axis = static_cast<size_t>(node.definition().filter_channel_axis);
    return FoldBatchNorm(FilterValues(node), InnerSize(shape, axis),
                         {values(norm.gamma), values(norm.beta), values(norm.moving_mean),
                          values(norm.moving_variance), double{norm.epsilon}});
  }

  GraphNode FrozenNode(const GraphNode& node) const {
    GraphNode frozen = node;
    for (int32_t& input : frozen.inputs) input = PlaceOf(input);
    for (int32_t& output : frozen.outputs) output = PlaceOf(output);
    if (node.batch_norm) {
      QAT_CHECK(std::ssize(frozen.inputs) == node.definition().bias_input);
      frozen.inputs.push_back(PlaceOf(node.batch_norm->gamma));
    }
    frozen.batch_norm.reset();
    frozen.fused.clear();
    return frozen;
  }

  /// The union over all tensors that share their range with this one.
  Range GroupRange(int32_t tensor) const {
    Range seen;
    if (precisions_.is_real()) return seen;
    const RangeGroup& group = groups_.Of(tensor);
    for (const int32_t member : group.observed)
      seen = UnionOf(seen, IncludingZero(checkpoint_.ranges.at(network_.tensor(member).name).range));
    return group.With(seen);
  }

  QuantizedLimits ActivationLimits() const {
    return precisions_.is_real() ? kUInt8Limits : LimitsOf(precisions_.activations);
  }

  /// Ranges found in a float32 checkpoint were not trained with.
  void SetRange(int32_t index, Range range, QuantizedLimits limits) {
    if (precisions_.is_real()) return;
    GraphTensor& tensor = graph_.tensor(index);
    tensor.has_range = true;
    tensor.range = IncludingZero(range);
    tensor.limits = limits;
  }

  const Checkpoint& checkpoint_;
  const Graph& network_;
  const RangeGroups groups_;
  const Precisions precisions_;
  Graph graph_;
  std::vector<int32_t> moved_;                      // of each tensor: where it is in the frozen graph
  std::map<int32_t, int32_t> passed_on_;            // outputs of dropout: what it reads
  std::set<int32_t> observed_;                      // tensors with a range of their own
  std::map<int32_t, const GraphNode*> filters_;     // who reads each
  std::map<int32_t, const GraphNode*> normalized_;  // filters and gammas of batch normalizations
};

}  // namespace

Expected<Graph> Freeze(const Checkpoint& checkpoint, const FreezeOptions& options,
                       std::vector<std::string>& warnings) {
  const Graph& network = checkpoint.network;
  QAT_RETURN_IF_ERROR_IN("network", Verify(network));
  if (network.form != GraphForm::kTrainable) return Corrupt("its network is frozen already");
  QAT_RETURN_IF_ERROR(CheckTensors(checkpoint, network));
  const std::optional<Precisions> precisions = PrecisionsFromName(checkpoint.scheme);
  if (!precisions)
    return Unsupported(StrCat("scheme is '", checkpoint.scheme, "', expected float32, ", IntegerNames()));
  QAT_RETURN_IF_ERROR(JudgeBatchNorms(checkpoint, options, warnings));
  if (!precisions->is_real()) {
    QAT_RETURN_IF_ERROR(CheckRanges(checkpoint, network, *precisions));
    QAT_RETURN_IF_ERROR(JudgeRanges(checkpoint, options, warnings));
    const auto quantizing = checkpoint.metrics.find("fake_quantize");
    if (quantizing != checkpoint.metrics.end() && quantizing->second == 0) {
      warnings.push_back(
          StrCat("at step ", checkpoint.step,
                 " fake quantization was not switched on yet: the weights have not adapted to it"));
    }
  }
  Graph graph = Freezer(checkpoint, network).Run();
  SeparateBiases(graph);
  QAT_RETURN_IF_ERROR(Verify(graph));
  return graph;
}

}  // namespace qat
