#include "train/network.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/isfinite.h>

#include <cstdio>
#include <optional>

#include "base/strings.h"
#include "contract/input_params.h"
#include "ops/integer_kernels.h"
#include "spec/range_groups.h"
#include "train/fake_quantize.h"

namespace qat {
namespace {

// Runs every layer in order; `run(i, inputs)` gives the output of layer i.
template <class Value, class Run>
Value RunLayers(const NetworkSpec& spec, const Value& images, const Run& run) {
  std::vector<Value> values;
  values.reserve(spec.layers.size());
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    std::vector<Value> inputs;
    for (const int32_t input : spec.layers[i].inputs) {
      inputs.push_back(input == kNetworkInput ? images : values[static_cast<size_t>(input)]);
    }
    values.push_back(run(i, inputs));
  }
  return values.back();
}

// The first parameter of a layer that a checkpoint has not, or in another shape.
struct Misfit {
  std::string name;
  std::optional<Shape> there;
  Shape here;
};

std::optional<Misfit> FindMisfit(const Checkpoint& checkpoint, Module& module) {
  for (const Parameter& parameter : module.parameters()) {
    const Shape here = ToTfliteLayout(parameter.value, parameter.layout).shape;
    const auto found = checkpoint.tensors.find(parameter.name);
    if (found == checkpoint.tensors.end()) return Misfit{parameter.name, std::nullopt, here};
    if (found->second.shape != here) return Misfit{parameter.name, found->second.shape, here};
  }
  return std::nullopt;
}

// "logits (filter is [10, 84] there, [4, 84] here)".
std::string FreshText(const std::string& layer, const Misfit& misfit) {
  const std::string suffix = misfit.name.substr(layer.size() + 1);
  if (!misfit.there) return StrCat(layer, " (no ", suffix, " there)");
  return StrCat(layer, " (", suffix, " is ", ToString(*misfit.there), " there, ", ToString(misfit.here), " here)");
}

bool AllFinite(const at::Tensor& tensor) { return at::isfinite(tensor).all().item<bool>(); }

}  // namespace

Expected<std::unique_ptr<Network>> Network::Create(const NetworkSpec& spec, const ModuleOptions& options) {
  std::vector<PlacedOp> ops;
  for (const LayerSpec& layer : spec.layers) ops.push_back({layer.name, layer.type});
  QAT_RETURN_IF_ERROR(ExpectIntegerKernels(ops, options.scheme));
  std::unique_ptr<Network> network(new Network(spec));
  for (const LayerSpec& layer : network->spec_.layers) {
    QAT_ASSIGN_OR_RETURN(auto module, MakeModule(layer, options));
    network->modules_.push_back(std::move(module));
  }
  network->ShareRanges(options.scheme);
  return network;
}

// One range for each group of outputs that share it: the union of what its observers learn, or fixed.
void Network::ShareRanges(Scheme scheme) {
  const RangeGroups groups = FindRangeGroups(spec_);
  std::vector<std::shared_ptr<SharedRange>> ranges;
  for (const RangeGroup& group : groups.groups) {
    auto range = std::make_shared<SharedRange>(scheme);
    if (group.fixed_uint8) range->Fix(FixedParamsOf(*group.fixed_uint8, scheme));
    for (const int32_t layer : group.observed) {
      // The observer of the output is the last one.
      range->Add(modules_[static_cast<size_t>(layer)]->observers().back().observer);
    }
    ranges.push_back(std::move(range));
  }
  input_range_ = ranges[static_cast<size_t>(groups.of_input)];
  for (size_t i = 0; i < modules_.size(); ++i) {
    if (groups.of_layer[i] >= 0) modules_[i]->ShareRange(ranges[static_cast<size_t>(groups.of_layer[i])]);
  }
}

void Network::SetInput(const InputContract& contract) {
  if (input_range_->scheme() == Scheme::kFloat32) return;
  input_range_->Fix(InputParams(contract, input_range_->scheme()));
  round_input_ = !BytesPassThrough(contract);
}

Expected<std::unique_ptr<Network>> Network::FromCheckpoint(const Checkpoint& checkpoint) {
  QAT_ASSIGN_OR_RETURN(const NetworkSpec spec,
                       ParseNetworkSpec(checkpoint.spec_text, checkpoint.spec_source));
  ModuleOptions options;
  options.scheme = SchemeFromName(checkpoint.scheme).value();  // the reader of checkpoints refuses others
  QAT_ASSIGN_OR_RETURN(auto network, Create(spec, options));
  network->SetInput(checkpoint.contract.input());
  QAT_RETURN_IF_ERROR(network->Load(checkpoint));
  return network;
}

at::Tensor Network::Forward(const at::Tensor& images, const ForwardContext& context) {
  return Forward(images, context, [](const Module&, const at::Tensor&) {});
}

at::Tensor Network::Forward(const at::Tensor& images, const ForwardContext& context, const VisitReal& visit) {
  at::Tensor input = images;
  if (context.fake_quantize && round_input_) {
    input = FakeQuantize(images, {input_range_->params(), ActivationLimitsOf(input_range_->scheme())});
  }
  return RunLayers(spec_, input, [&](size_t i, const std::vector<at::Tensor>& inputs) {
    at::Tensor output = modules_[i]->Forward(inputs, context);
    visit(*modules_[i], output);
    return output;
  });
}

SimulatedTensor Network::Simulate(const SimulatedTensor& images) const {
  return Simulate(images, [](const Module&, const SimulatedTensor&) {});
}

SimulatedTensor Network::Simulate(const SimulatedTensor& images, const VisitSimulated& visit) const {
  const at::NoGradGuard no_gradients;
  return RunLayers(spec_, images, [&](size_t i, const std::vector<SimulatedTensor>& inputs) {
    SimulatedTensor output = modules_[i]->Simulate(inputs);
    visit(*modules_[i], output);
    return output;
  });
}

std::vector<Parameter> Network::parameters() {
  std::vector<Parameter> all;
  for (const auto& module : modules_) {
    for (Parameter& parameter : module->parameters()) all.push_back(std::move(parameter));
  }
  return all;
}

std::vector<NamedObserver> Network::observers() {
  std::vector<NamedObserver> all;
  for (const auto& module : modules_) {
    for (NamedObserver& observer : module->observers()) all.push_back(std::move(observer));
  }
  return all;
}

std::vector<NamedStatistics> Network::batch_norms() {
  std::vector<NamedStatistics> all;
  for (const auto& module : modules_) {
    if (auto norm = module->batch_norm()) all.push_back(*std::move(norm));
  }
  return all;
}

float Network::OutputScale() const {
  const SharedRange* range = modules_.back()->range();
  if (range == nullptr || range->scheme() == Scheme::kFloat32 || !range->ready()) return 0;
  return range->params().scale;
}

bool Network::HasRanges() {
  for (const NamedObserver& each : observers()) {
    if (each.observer->empty()) return false;
  }
  return true;
}

void Network::Save(Checkpoint& checkpoint) {
  for (const Parameter& parameter : parameters()) {
    checkpoint.tensors[parameter.name] = ToTfliteLayout(parameter.value, parameter.layout);
  }
  if (checkpoint.scheme == "float32") return;
  for (const NamedObserver& each : observers()) {
    if (!each.observer->empty()) checkpoint.ranges[each.name].range = each.observer->range();
  }
}

Status Network::Load(const Checkpoint& checkpoint) {
  for (const auto& module : modules_) {
    if (const auto misfit = FindMisfit(checkpoint, *module)) {
      return Corrupt(misfit->there ? StrCat("tensor '", misfit->name, "' is ", ToString(*misfit->there),
                                            ", expected ", ToString(misfit->here))
                                   : StrCat("tensor '", misfit->name, "' is missing, which the network needs"));
    }
    Load(checkpoint, *module);
  }
  return {};
}

// Requires parameters that fit.
void Network::Load(const Checkpoint& checkpoint, Module& module) {
  const at::NoGradGuard no_gradients;
  for (const Parameter& parameter : module.parameters()) {
    parameter.value.copy_(FromTfliteLayout(checkpoint.tensors.at(parameter.name), parameter.layout));
  }
  for (const NamedObserver& each : module.observers()) {
    const auto found = checkpoint.ranges.find(each.name);
    if (found != checkpoint.ranges.end()) each.observer->Fix(IncludingZero(found->second.range));
  }
  if (const auto norm = module.batch_norm()) norm->statistics->set_batches(kInheritedBatches);
}

Expected<Inherited> Network::Inherit(const Checkpoint& checkpoint) {
  Inherited inherited;
  for (const auto& module : modules_) {
    if (const auto misfit = FindMisfit(checkpoint, *module)) {
      inherited.fresh.push_back(FreshText(module->name(), *misfit));
      continue;
    }
    Load(checkpoint, *module);
    inherited.kept += !module->parameters().empty();
    inherited.output = module == modules_.back();
  }
  if (inherited.kept > 0) return inherited;
  return Corrupt(StrCat("none of its layers fits network '", spec_.name, "', expected some of the same name and shape: ",
                        inherited.fresh.front()));
}

std::string Network::NonFiniteObserved() const {
  for (const auto& module : modules_) {
    if (!module->finite()) return module->name();
  }
  return "";
}

std::string Network::FindNonFinite(const at::Tensor& images) {
  const at::NoGradGuard no_gradients;
  std::string found;
  RunLayers(spec_, images, [&](size_t i, const std::vector<at::Tensor>& inputs) {
    at::Tensor output = modules_[i]->Forward(inputs, {});
    bool finite = AllFinite(output);
    for (const Parameter& parameter : modules_[i]->parameters())
      finite = finite && AllFinite(parameter.value);
    if (!finite && found.empty()) found = modules_[i]->name();
    return output;
  });
  return found;
}

std::string Network::LargestParameter() {
  const at::NoGradGuard no_gradients;
  float largest = -1;
  std::string layer, suffix;
  for (const auto& module : modules_) {
    for (const Parameter& parameter : module->parameters()) {
      if (!parameter.IsTrained()) continue;
      const float reach = parameter.value.abs().max().item<float>();
      if (!(reach > largest)) continue;
      largest = reach;
      layer = module->name();
      suffix = parameter.name.substr(layer.size() + 1);
    }
  }
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g", largest);
  return StrCat("layer '", layer, "' has grown most, its ", suffix, " reaches ", text);
}

std::string Network::PrettyPrint() const {
  std::string text;
  for (const auto& module : modules_) text += module->PrettyPrint() + "\n";
  return text;
}

}  // namespace qat
