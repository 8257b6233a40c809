#include "train/network.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/isfinite.h>

#include "base/strings.h"
#include "contract/input_params.h"
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

bool AllFinite(const at::Tensor& tensor) { return at::isfinite(tensor).all().item<bool>(); }

}  // namespace

Expected<std::unique_ptr<Network>> Network::Create(const NetworkSpec& spec, const ModuleOptions& options) {
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
  network->SetInput(checkpoint.contract);
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
  const at::NoGradGuard no_gradients;
  for (const Parameter& parameter : parameters()) {
    const auto found = checkpoint.tensors.find(parameter.name);
    if (found == checkpoint.tensors.end()) {
      return Corrupt(StrCat("tensor '", parameter.name, "' is missing, which the network needs"));
    }
    const Shape expected = ToTfliteLayout(parameter.value, parameter.layout).shape;
    if (found->second.shape != expected) {
      return Corrupt(StrCat("tensor '", parameter.name, "' is ", ToString(found->second.shape), ", expected ",
                            ToString(expected)));
    }
    parameter.value.copy_(FromTfliteLayout(found->second, parameter.layout));
  }
  for (const NamedObserver& each : observers()) {
    const auto found = checkpoint.ranges.find(each.name);
    if (found != checkpoint.ranges.end()) each.observer->Fix(IncludingZero(found->second.range));
  }
  return {};
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

std::string Network::PrettyPrint() const {
  std::string text;
  for (const auto& module : modules_) text += module->PrettyPrint() + "\n";
  return text;
}

}  // namespace qat
