#include "train/network.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <set>

#include "base/matching_names.h"
#include "base/strings.h"
#include "checkpoint/filter_ranges.h"
#include "contract/input_params.h"
#include "ir/range_groups.h"
#include "ops/integer_kernels.h"
#include "train/fake_quantize.h"

namespace qat {
namespace {

// An axis constant that names axis 0, which is the batch's.
bool NamesTheBatch(const LayerNode& layer) {
  // Negative axes of expand_dims count in the output.
  const bool expands = layer.type == OpType::kExpandDims;
  const auto rank =
      static_cast<int32_t>(expands ? layer.output_shape.size() : layer.input_shapes.at(0).size());
  for (const IndexOperand& index : layer.indices) {
    const bool axes = index.suffix == "axes" || index.suffix == "axis";
    if (axes && std::any_of(index.values.begin(), index.values.end(),
                            [&](int32_t v) { return v == 0 || v == -rank; }))
      return true;
    if (index.suffix == "perm" && !index.values.empty() && index.values[0] != 0) return true;
  }
  return false;
}

// As many examples come out as go in. Specs are checked when they are read; graphs of other front ends may be
// made for one example and do with its axis what they like.
Status ExpectBatchStays(const Graph& graph, const GraphNode& node, const LayerNode& layer) {
  const auto refuse = [&] {
    return Unsupported(StrCat("layer '", layer.name, "': ", layer.definition().name, " to ",
                              ToString(layer.output_shape),
                              " mixes the examples of a batch, which has no training form"));
  };
  const auto one = [](const Shape& shape) { return !shape.empty() && shape[0] == 1; };
  std::vector<Operand> operands = graph.OperandsOf(node);
  for (const size_t position : DataInputs(graph, node)) {
    const bool constant = graph.tensor(node.inputs[position]).is_constant();
    // A constant map is repeated for every example.
    if (constant &&
        (!one(operands[position].shape) || operands[position].shape.size() < layer.output_shape.size()))
      continue;
    if (!one(operands[position].shape)) return refuse();
    operands[position].shape[0] = 2;
  }
  if (layer.input_shapes.empty() || !one(layer.output_shape) || NamesTheBatch(layer)) return refuse();
  if (!layer.indices.empty()) return {};  // shapes in them may say 1 example: modules know
  const auto shapes = InferShapes(layer.definition(), layer.attributes, operands);
  Shape expected = layer.output_shape;
  expected[0] = 2;
  return shapes.ok() && (*shapes)[static_cast<size_t>(layer.output)] == expected ? Status() : refuse();
}

// The first parameter of a layer that a checkpoint has not, or in another shape.
struct Misfit {
  std::string name;
  std::optional<Shape> there;
  Shape here;
};

std::optional<Misfit> FindMisfit(const Checkpoint& checkpoint, Module& module) {
  for (const Parameter& parameter : module.parameters()) {
    if (parameter.is_range()) continue;
    const Shape here = ToTfliteLayout(parameter.value, parameter.layout).shape;
    const auto found = checkpoint.tensors.find(parameter.name);
    if (found == checkpoint.tensors.end()) return Misfit{parameter.name, std::nullopt, here};
    if (found->second.shape != here) return Misfit{parameter.name, found->second.shape, here};
  }
  return std::nullopt;
}

// "logits (filter is [10, 84] there, [4, 84] here)".
std::string FreshText(const std::string& layer, const Misfit& misfit) {
  const std::string suffix = SuffixOf(misfit.name, layer);
  if (!misfit.there) return StrCat(layer, " (no ", suffix, " there)");
  return StrCat(layer, " (", suffix, " is ", ToString(*misfit.there), " there, ", ToString(misfit.here),
                " here)");
}

// Before anything of their size is made: the values are as large as the file, shapes in its network may say
// anything.
Status CheckValues(const Checkpoint& checkpoint) {
  for (const GraphTensor& tensor : checkpoint.network.tensors) {
    if (!tensor.trained) continue;
    const auto found = checkpoint.tensors.find(tensor.name);
    if (found == checkpoint.tensors.end())
      return Corrupt(StrCat("tensor '", tensor.name, "' is missing, which the network needs"));
    if (found->second.shape != tensor.shape)
      return Corrupt(StrCat("tensor '", tensor.name, "' is ", ToString(found->second.shape), ", expected ",
                            ToString(tensor.shape)));
  }
  return {};
}

bool AllFinite(const at::Tensor& tensor) { return at::isfinite(tensor).all().item<bool>(); }

}  // namespace

Expected<std::unique_ptr<Network>> Network::Create(const Graph& graph, const ModuleOptions& options) {
  std::vector<PlacedOp> ops;
  for (const GraphNode& node : graph.nodes) ops.push_back({node.name, node.type});
  QAT_RETURN_IF_ERROR(ExpectIntegerKernels(ops, options.precisions.activations.type));
  std::unique_ptr<Network> network(new Network(graph, options.precisions));
  QAT_RETURN_IF_ERROR(network->AddLayers(options));
  network->ShareRanges(options);
  return network;
}

// What has no training form is told as one list.
Status Network::AddLayers(const ModuleOptions& options) {
  std::vector<std::string> refusals;
  for (const GraphNode& node : graph_.nodes) {
    for (size_t output = 0; output < node.outputs.size(); ++output) {
      Status added = AddLayer(node, output, options);
      if (added.ok()) continue;
      if (added.error().code != ErrorCode::kUnsupported) return added;
      refusals.push_back(added.error().message);
      break;
    }
  }
  if (!refusals.empty()) return Unsupported(Join(refusals, "; "));
  QAT_RETURN_IF_ERROR(ShareParameters());
  for (const int32_t output : graph_.outputs) {
    const auto found = std::find_if(layers_.begin(), layers_.end(),
                                    [&](const Layer& layer) { return layer.output == output; });
    if (found == layers_.end()) {
      return Unsupported(StrCat("network '", graph_.name, "' does not compute its output '",
                                graph_.tensor(output).name, "'"));
    }
    output_layers_.push_back(static_cast<size_t>(found - layers_.begin()));
  }
  return {};
}

// A filter or bias that several nodes read, as the steps of a recurrent layer do, is one tensor.
Status Network::ShareParameters() {
  std::map<std::string, std::pair<Parameter, const Module*>> known;
  for (const Layer& layer : layers_) {
    for (const Parameter& parameter : layer.module->parameters()) {
      const auto [found, first] = known.try_emplace(parameter.name, parameter, layer.module.get());
      if (first) continue;
      const auto& [shared, owner] = found->second;
      const bool shares = parameter.is_range() || parameter.role == ParameterSpec::Role::kFilter ||
                          parameter.role == ParameterSpec::Role::kBias;
      const bool normalizes =
          owner->node().batch_norm.has_value() || layer.module->node().batch_norm.has_value();
      if (!shares || normalizes || owner->node().type != layer.module->node().type)
        return Unsupported(StrCat("layers '", owner->name(), "' and '", layer.module->name(), "' share '",
                                  parameter.name,
                                  "', which has no training form; expected filters and biases of layers of "
                                  "one kind without batch normalization"));
      layer.module->Share(shared);
    }
  }
  return {};
}

Status Network::AddLayer(const GraphNode& node, size_t output, const ModuleOptions& options) {
  Layer layer;
  const LayerNode made_of = LayerNodeOf(graph_, node, output);
  QAT_ASSIGN_OR_RETURN(layer.module, MakeModule(made_of, options));
  QAT_RETURN_IF_ERROR(ExpectBatchStays(graph_, node, made_of));
  layer.output = node.outputs[output];
  size_t rank = 0;
  for (const size_t position : DataInputs(graph_, node)) {
    const GraphTensor& input = graph_.tensor(node.inputs[position]);
    if (!input.is_constant()) rank = std::max(rank, input.shape.size());
  }
  for (const size_t position : DataInputs(graph_, node)) {
    const int32_t index = node.inputs[position];
    const GraphTensor& input = graph_.tensor(index);
    layer.inputs.push_back({index, nullptr});
    if (!input.is_constant()) continue;
    if (input.type != DType::kFloat32 || input.shape.size() > rank) {
      return Unsupported(StrCat("layer '", layer.module->name(), "': reads the constant ", NameOf(input.type),
                                " ", ToString(input.shape),
                                ", which has no training form beside values of rank ", rank));
    }
    layer.inputs.back().constant =
        std::make_unique<ConstantInput>(input, rank, options.precisions.activations);
  }
  layers_.push_back(std::move(layer));
  return {};
}

// Runs every layer in order; `run(layer, inputs)` gives its output, `constant(input, count)` what it reads.
template <class Value, class Run, class Constant>
std::vector<Value> Network::RunLayers(const std::vector<Value>& inputs, const Run& run,
                                      const Constant& constant) const {
  QAT_CHECK(inputs.size() == graph_.inputs.size());
  std::vector<Value> values(graph_.tensors.size());
  for (size_t i = 0; i < inputs.size(); ++i) values[static_cast<size_t>(graph_.inputs[i])] = inputs[i];
  for (const Layer& layer : layers_) {
    std::vector<Value> read;
    for (const Source& input : layer.inputs) {
      read.push_back(input.constant ? constant(*input.constant) : values[static_cast<size_t>(input.tensor)]);
    }
    values[static_cast<size_t>(layer.output)] = run(layer, read);
  }
  std::vector<Value> outputs;
  for (const int32_t output : graph_.outputs) outputs.push_back(values[static_cast<size_t>(output)]);
  return outputs;
}

// One range for each group of tensors that share it: the union of what its observers learn, or fixed.
void Network::ShareRanges(const ModuleOptions& options) {
  const Precision& activations = options.precisions.activations;
  const RangeGroups groups = FindRangeGroups(graph_);
  std::vector<std::shared_ptr<SharedRange>> ranges;
  for (const RangeGroup& group : groups.groups) {
    ranges.push_back(std::make_shared<SharedRange>(activations));
    if (group.fixed_uint8) ranges.back()->Fix(FixedParamsOf(*group.fixed_uint8, activations.type));
    if (group.constants.max != group.constants.min) ranges.back()->Include(group.constants);
  }
  std::vector<std::shared_ptr<LearnedEnds>> ends(ranges.size());
  const auto range_of = [&](int32_t tensor) -> std::shared_ptr<SharedRange> {
    const int32_t group = groups.of_tensor[static_cast<size_t>(tensor)];
    return group < 0 ? nullptr : ranges[static_cast<size_t>(group)];
  };
  for (const int32_t input : graph_.inputs) input_ranges_.push_back(range_of(input));
  round_inputs_.assign(graph_.inputs.size(), false);
  for (const Layer& layer : layers_) {
    if (const auto range = range_of(layer.output)) {
      const bool observes = OwnsRange(layer.module->definition());
      auto& learned = ends[static_cast<size_t>(groups.of_tensor[static_cast<size_t>(layer.output)])];
      if (options.learn_activation_ranges && observes && learned == nullptr) {
        learned = std::make_shared<LearnedEnds>(layer.module->name(), range);
        learned_ends_.push_back(learned);
      }
      layer.module->ShareRange(range, learned);
      // The observer of the output is the last one.
      if (observes) range->Add(layer.module->observers().back().observer);
    }
    for (const Source& input : layer.inputs) {
      const auto range = input.constant ? range_of(input.tensor) : nullptr;
      if (range != nullptr) input.constant->ShareRange(range);
    }
  }
}

void Network::SetInputs(const Contract& contract) {
  QAT_CHECK(contract.inputs.size() == input_ranges_.size());
  for (size_t i = 0; i < input_ranges_.size(); ++i) {
    const Precision& precision = input_ranges_[i]->precision();
    if (precision.is_real()) continue;
    input_ranges_[i]->Fix(InputParams(contract.inputs[i], precision));
    round_inputs_[i] = !BytesPassThrough(contract.inputs[i]);
  }
}

Expected<std::unique_ptr<Network>> Network::FromCheckpoint(const Checkpoint& checkpoint) {
  QAT_RETURN_IF_ERROR(CheckValues(checkpoint));
  QAT_RETURN_IF_ERROR(CheckFilterRanges(checkpoint));
  ModuleOptions options;
  // the reader of checkpoints refuses others
  options.precisions = PrecisionsFromName(checkpoint.scheme).value();
  options.learn_filter_ranges = !checkpoint.filter_ranges.empty();
  QAT_ASSIGN_OR_RETURN(auto network, Create(checkpoint.network, options));
  if (checkpoint.contract.inputs.size() != network->graph().inputs.size()) {
    return Corrupt(StrCat("the contract has ", checkpoint.contract.inputs.size(), " inputs, the network ",
                          network->graph().inputs.size()));
  }
  network->SetInputs(checkpoint.contract);
  QAT_RETURN_IF_ERROR(network->Load(checkpoint));
  return network;
}

std::vector<at::Tensor> Network::Forward(const std::vector<at::Tensor>& inputs,
                                         const ForwardContext& context) {
  return Forward(inputs, context, [](const Module&, const at::Tensor&) {});
}

std::vector<at::Tensor> Network::Forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context,
                                         const VisitReal& visit) {
  std::vector<at::Tensor> rounded = inputs;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!context.fake_quantize || !round_inputs_[i]) continue;
    rounded[i] =
        FakeQuantize(inputs[i], {input_ranges_[i]->params(), LimitsOf(input_ranges_[i]->precision())});
  }
  const auto run = [&](const Layer& layer, const std::vector<at::Tensor>& read) {
    at::Tensor output = layer.module->Forward(read, context);
    visit(*layer.module, output);
    return output;
  };
  return RunLayers(rounded, run,
                   [&](const ConstantInput& each) { return each.Real(inputs[0].size(0), context); });
}

std::vector<SimulatedTensor> Network::Simulate(const std::vector<SimulatedTensor>& inputs) const {
  return Simulate(inputs, [](const Module&, const SimulatedTensor&) {});
}

std::vector<SimulatedTensor> Network::Simulate(const std::vector<SimulatedTensor>& inputs,
                                               const VisitSimulated& visit) const {
  const at::NoGradGuard no_gradients;
  const auto run = [&](const Layer& layer, const std::vector<SimulatedTensor>& read) {
    SimulatedTensor output = layer.module->Simulate(read);
    visit(*layer.module, output);
    return output;
  };
  return RunLayers(inputs, run,
                   [&](const ConstantInput& each) { return each.Simulated(inputs[0].values.size(0)); });
}

std::vector<Parameter> Network::parameters() {
  std::vector<Parameter> all = LayerParameters();
  for (const auto& each : learned_ends_) {
    if (!each->range().fixed()) all.push_back(each->parameter());
  }
  return all;
}

std::vector<Parameter> Network::LayerParameters() {
  std::vector<Parameter> all;
  std::set<std::string> names;
  for (const auto& [module, inputs, output] : layers_) {
    for (Parameter& parameter : module->parameters()) {
      if (names.insert(parameter.name).second) all.push_back(std::move(parameter));
    }
  }
  return all;
}

std::vector<NamedObserver> Network::observers() {
  std::vector<NamedObserver> all;
  std::set<std::string> names;
  for (const auto& [module, inputs, output] : layers_) {
    for (NamedObserver& observer : module->observers()) {
      if (names.insert(observer.name).second) all.push_back(std::move(observer));
    }
  }
  return all;
}

std::vector<NamedStatistics> Network::batch_norms() {
  std::vector<NamedStatistics> all;
  for (const auto& [module, inputs, output] : layers_) {
    if (auto norm = module->batch_norm()) all.push_back(*std::move(norm));
  }
  return all;
}

float Network::OutputScale(size_t output) const {
  const SharedRange* range = layers_[output_layers_[output]].module->range();
  if (range == nullptr || range->precision().is_real() || !range->ready()) return 0;
  return range->params().scale;
}

bool Network::HasRanges() {
  for (const NamedObserver& each : observers()) {
    if (each.observer->empty()) return false;
  }
  return true;
}

// The learned ends of activations are those that the observers have.
void Network::Save(Checkpoint& checkpoint) {
  for (const Parameter& parameter : LayerParameters()) {
    auto& tensors = parameter.is_range() ? checkpoint.filter_ranges : checkpoint.tensors;
    tensors[parameter.is_range() ? RangedTensor(parameter.name) : parameter.name] =
        ToTfliteLayout(parameter.value, parameter.layout);
  }
  if (checkpoint.scheme == "float32") return;
  for (const NamedObserver& each : observers()) {
    if (!each.observer->empty()) checkpoint.ranges[each.name].range = each.observer->range();
  }
}

Status Network::Load(const Checkpoint& checkpoint) {
  for (const auto& [module, inputs, output] : layers_) {
    if (const auto misfit = FindMisfit(checkpoint, *module)) {
      return Corrupt(misfit->there
                         ? StrCat("tensor '", misfit->name, "' is ", ToString(*misfit->there), ", expected ",
                                  ToString(misfit->here))
                         : StrCat("tensor '", misfit->name, "' is missing, which the network needs"));
    }
    Load(checkpoint, *module);
  }
  return {};
}

// Requires parameters that fit.
void Network::Load(const Checkpoint& checkpoint, Module& module) {
  const at::NoGradGuard no_gradients;
  const std::vector<Parameter> parameters = module.parameters();
  const bool learns = std::any_of(parameters.begin(), parameters.end(),
                                  [](const Parameter& each) { return each.is_range(); });
  for (const Parameter& parameter : parameters) {
    if (parameter.is_range()) {
      LoadRange(checkpoint, parameter);
      continue;
    }
    NamedTensor tensor = checkpoint.tensors.at(parameter.name);
    // What was rounded to an end there would be far beyond it without that end.
    if (parameter.role == ParameterSpec::Role::kFilter && !learns)
      tensor.values = DeployedFilter(checkpoint, parameter.name, module.definition());
    parameter.value.copy_(FromTfliteLayout(tensor, parameter.layout));
  }
  for (const NamedObserver& each : module.observers()) {
    const auto found = checkpoint.ranges.find(each.name);
    if (found != checkpoint.ranges.end()) each.observer->Fix(IncludingZero(found->second.range));
  }
  if (const auto norm = module.batch_norm()) norm->statistics->set_batches(kInheritedBatches);
}

// Steps of other integers are no start.
void Network::LoadRange(const Checkpoint& checkpoint, const Parameter& range) const {
  const auto found = checkpoint.filter_ranges.find(RangedTensor(range.name));
  const bool fits = found != checkpoint.filter_ranges.end() &&
                    std::ssize(found->second.values) == range.value.numel() &&
                    PrecisionsFromName(checkpoint.scheme) == precisions_;
  if (fits) range.value.copy_(FromTfliteLayout(found->second));
}

Expected<Inherited> Network::Inherit(const Checkpoint& checkpoint) {
  QAT_RETURN_IF_ERROR(CheckFilterRanges(checkpoint));
  Inherited inherited;
  inherited.outputs.resize(output_layers_.size());
  for (const auto& [module, inputs, output] : layers_) {
    if (const auto misfit = FindMisfit(checkpoint, *module)) {
      inherited.fresh.push_back(FreshText(module->name(), *misfit));
      continue;
    }
    Load(checkpoint, *module);
    inherited.kept += !module->parameters().empty();
    for (size_t i = 0; i < output_layers_.size(); ++i) {
      if (module.get() == &output_module(i)) inherited.outputs[i] = true;
    }
  }
  if (inherited.kept > 0) return inherited;
  return Corrupt(StrCat("none of its layers fits network '", graph_.name,
                        "', expected some of the same name and shape: ", inherited.fresh.front()));
}

Expected<std::vector<std::string>> Network::Hold(const std::string& expression) {
  std::vector<std::string> names;
  for (const auto& [module, inputs, output] : layers_) {
    if (!module->parameters().empty()) names.push_back(module->name());
  }
  QAT_ASSIGN_OR_RETURN(const std::vector<std::string> held, MatchingNames(expression, names));
  for (const auto& [module, inputs, output] : layers_) {
    if (std::find(held.begin(), held.end(), module->name()) != held.end()) module->Hold();
  }
  const std::vector<Parameter> parameters = LayerParameters();
  if (std::none_of(parameters.begin(), parameters.end(), [](const Parameter& each) { return each.Learns(); }))
    return InvalidArgument(
        StrCat("'", expression, "' describes all layers with parameters, expected one that learns"));
  return held;
}

std::string Network::NonFiniteObserved() const {
  for (const auto& [module, inputs, output] : layers_) {
    if (!module->finite()) return module->name();
  }
  return "";
}

std::string Network::FindNonFinite(const std::vector<at::Tensor>& inputs) {
  const at::NoGradGuard no_gradients;
  std::string found;
  const auto run = [&](const Layer& layer, const std::vector<at::Tensor>& read) {
    at::Tensor output = layer.module->Forward(read, {});
    bool finite = AllFinite(output);
    for (const Parameter& parameter : layer.module->parameters())
      finite = finite && AllFinite(parameter.value);
    if (!finite && found.empty()) found = layer.module->name();
    return output;
  };
  RunLayers(inputs, run, [&](const ConstantInput& each) { return each.Real(inputs[0].size(0), {}); });
  return found;
}

std::string Network::LargestParameter() {
  const at::NoGradGuard no_gradients;
  float largest = -1;
  std::string layer, suffix;
  for (const auto& [module, inputs, output] : layers_) {
    for (const Parameter& parameter : module->parameters()) {
      if (!parameter.IsTrained() || parameter.is_range()) continue;
      const float reach = parameter.value.abs().max().item<float>();
      if (!(reach > largest)) continue;
      largest = reach;
      layer = module->name();
      suffix = SuffixOf(parameter.name, layer);
    }
  }
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g", largest);
  return StrCat("layer '", layer, "' has grown most, its ", suffix, " reaches ", text);
}

std::string Network::PrettyPrint() const {
  std::string text;
  for (const Layer& layer : layers_) text += layer.module->PrettyPrint() + "\n";
  return text;
}

}  // namespace qat
