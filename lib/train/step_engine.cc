#include "train/step_engine.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/random.h"
#include "base/strings.h"
#include "train/modules/nhwc.h"
#include "train/run_store.h"

namespace qat {
namespace {

constexpr uint64_t kDropoutPurpose = 0x64726f70;  // "drop"
constexpr int64_t kRangeBatches = 32;             // that ranges of averaged weights are estimated from

std::span<const float> SpanOf(const at::Tensor& tensor) {
  return {tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel())};
}

TrainableSpan TrainableOf(const Parameter& parameter) {
  return {parameter.name,
          {parameter.value.data_ptr<float>(), static_cast<size_t>(parameter.value.numel())},
          {},
          parameter.role == ParameterSpec::Role::kFilter};
}

}  // namespace

StepEngine::StepEngine(const TrainConfig& config, Schedule schedule)
    : config_(config), schedule_(schedule), history_(schedule.steps) {}

Expected<std::unique_ptr<StepEngine>> StepEngine::Create(const NetworkSpec& spec, const TrainConfig& config,
                                                         const Schedule& schedule,
                                                         const InputContract& contract,
                                                         const Checkpoint* init) {
  std::unique_ptr<StepEngine> engine(new StepEngine(config, schedule));
  const ModuleOptions options = {config.seed, config.ema_decay, SchemeFromName(config.scheme).value()};
  QAT_ASSIGN_OR_RETURN(engine->network_, Network::Create(spec, options));
  engine->network_->SetInput(contract);
  if (init != nullptr) QAT_RETURN_IF_ERROR_IN("`init`", engine->network_->Load(*init));
  engine->parameters_ = engine->network_->parameters();
  engine->observers_ = engine->network_->observers();
  for (const Parameter& each : engine->parameters_) engine->spans_.push_back(TrainableOf(each));
  engine->optimizer_ =
      config.optimizer == "sgd" ? MakeSgd(config.weight_decay) : MakeAdam(config.weight_decay);
  if (config.weight_average_decay > 0) {
    engine->average_.emplace(config.weight_average_decay);
    QAT_ASSIGN_OR_RETURN(engine->averaged_, Network::Create(spec, options));
    engine->averaged_->SetInput(contract);
  }
  return engine;
}

void StepEngine::ScaleToTargets(const TargetStatistics& targets, bool fresh) {
  const LayerSpec& last = network_->spec().layers.back();
  const auto span_of = [&](std::string_view parameter) {
    return std::find_if(spans_.begin(), spans_.end(), [&](const TrainableSpan& each) {
      return each.name == StrCat(last.name, "/", parameter);
    });
  };
  const auto filter = span_of("filter"), bias = span_of("bias");
  if (FusedActivation(last.attributes) != Activation::kNone) return;
  if (filter == spans_.end() || bias == spans_.end() || bias->values.size() != targets.std.size()) return;
  target_units_.assign(targets.std.begin(), targets.std.end());
  filter->units = bias->units = target_units_;
  if (!fresh) return;
  const size_t length = filter->values.size() / target_units_.size();
  for (size_t i = 0; i < filter->values.size(); ++i) filter->values[i] *= target_units_[i / length];
  std::copy(targets.mean.begin(), targets.mean.end(), bias->values.begin());
}

Expected<LossResult> StepEngine::Step(const Batch& batch, int64_t step) {
  QAT_ASSIGN_OR_RETURN(const LossResult result, BackPropagate(batch, step));
  optimizer_->Step(spans_, LearningRate(config_, schedule_.steps, step));
  if (average_) average_->Update(spans_);
  if (config_.scheme != "float32" && history_.Due(step + 1)) {
    std::vector<Range> ranges;
    for (const NamedObserver& each : observers_) ranges.push_back(each.observer->range());
    history_.Record(step + 1, std::move(ranges));
  }
  return result;
}

LossResult StepEngine::LossOf(const Batch& batch, const at::Tensor& outputs, at::Tensor& gradient) const {
  const std::span<float> wanted(gradient.data_ptr<float>(), static_cast<size_t>(gradient.numel()));
  if (!batch.numbers.empty()) {
    const LossResult result = MeanSquaredError(SpanOf(outputs), batch.numbers, wanted);
    if (target_units_.empty()) return result;
    for (size_t i = 0; i < wanted.size(); ++i) {
      const float unit = target_units_[i % target_units_.size()];
      wanted[i] /= unit * unit;
    }
    return result;
  }
  return SoftmaxCrossEntropy(SpanOf(outputs), batch.labels, outputs.size(-1), config_.label_smoothing,
                             wanted);
}

Expected<LossResult> StepEngine::BackPropagate(const Batch& batch, int64_t step) {
  for (Parameter& parameter : parameters_) {
    if (parameter.IsTrained()) parameter.value.mutable_grad().reset();
  }
  const ForwardContext context = {
      .training = true,
      .observe = config_.scheme != "float32" && step < schedule_.freeze_ranges_at,
      .fake_quantize = Quantizing(step),
      .freeze_batch_norm = step >= schedule_.freeze_batch_norm_at,
      .dropout_key = MixKey(config_.seed, kDropoutPurpose, step)};
  const at::Tensor outputs = functional::ToNhwc(network_->Forward(batch.images, context)).contiguous();
  at::Tensor gradient = at::empty_like(outputs, outputs.options().requires_grad(false));
  const LossResult result = LossOf(batch, outputs, gradient);
  if (!std::isfinite(result.loss) || !network_->NonFiniteObserved().empty()) {
    return NotFinite(StrCat("the loss of step ", step + 1, " is ", result.loss), batch.images);
  }
  outputs.backward(gradient);
  TakeGradients();
  return result;
}

void StepEngine::TakeGradients() {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].IsTrained()) continue;
    at::Tensor& given = parameters_[i].value.mutable_grad();
    given = given.defined() ? given.contiguous() : at::zeros_like(parameters_[i].value.detach());
    spans_[i].gradient = SpanOf(given);
  }
}

Error StepEngine::NotFinite(std::string_view what, const at::Tensor& images) {
  std::string layer = network_->NonFiniteObserved();
  if (layer.empty()) layer = network_->FindNonFinite(images);
  return Numerical(StrCat(
      what, layer.empty() ? "" : StrCat("; layer '", layer, "' is the first with values that are not finite"),
      "; a smaller learning rate usually helps (it is ", config_.learning_rate, ")"));
}

Expected<Network*> StepEngine::Deploy(DataFeed& feed, int64_t steps) {
  if (!average_) return network_.get();
  const at::NoGradGuard no_gradients;
  std::vector<Parameter> parameters = averaged_->parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    const std::vector<float>& values = average_->values()[i];
    std::copy(values.begin(), values.end(), parameters[i].value.data_ptr<float>());
  }
  if (config_.scheme == "float32") return averaged_.get();
  for (const NamedObserver& each : averaged_->observers()) each.observer->set_state({});
  for (int64_t step = std::max<int64_t>(steps - kRangeBatches, 0); step < steps; ++step) {
    QAT_ASSIGN_OR_RETURN(const Batch batch, feed.Read(step));
    averaged_->Forward(batch.images, {.observe = true, .fake_quantize = Quantizing(steps - 1)});
  }
  return averaged_.get();
}

void StepEngine::Save(Checkpoint& checkpoint) {
  Deployed().Save(checkpoint);
  for (size_t i = 0; i < observers_.size(); ++i) {
    const auto range = checkpoint.ranges.find(observers_[i].name);
    if (range == checkpoint.ranges.end() || observers_[i].observer->empty()) continue;
    range->second.drift = history_.DriftOf(i, observers_[i].observer->range());
  }
}

void StepEngine::Save(TrainerState& state) const {
  for (const TrainableSpan& each : spans_) {
    state.tensors[StrCat("parameter/", each.name)] = {{static_cast<int32_t>(each.values.size())},
                                                      {each.values.begin(), each.values.end()}};
  }
  for (const NamedObserver& each : observers_) {
    const RangeObserver::State& seen = each.observer->state();
    state.scalars[StrCat("observer/", each.name, "/min_sum")] = seen.min_sum;
    state.scalars[StrCat("observer/", each.name, "/max_sum")] = seen.max_sum;
    state.scalars[StrCat("observer/", each.name, "/weight")] = seen.weight;
  }
  optimizer_->Save(spans_, state);
  history_.Save(state);
  if (average_) average_->Save(spans_, state);
}

Status StepEngine::Load(const TrainerState& state) {
  for (TrainableSpan& each : spans_) {
    const auto found = state.tensors.find(StrCat("parameter/", each.name));
    if (found == state.tensors.end() || found->second.values.size() != each.values.size()) {
      return Corrupt(StrCat("tensor 'parameter/", each.name, "' is missing or of the wrong size"));
    }
    std::copy(found->second.values.begin(), found->second.values.end(), each.values.begin());
  }
  for (const NamedObserver& each : observers_) {
    const std::string name = StrCat("observer/", each.name);
    RangeObserver::State seen;
    QAT_ASSIGN_OR_RETURN(seen.min_sum, NumberOf(state, name + "/min_sum"));
    QAT_ASSIGN_OR_RETURN(seen.max_sum, NumberOf(state, name + "/max_sum"));
    QAT_ASSIGN_OR_RETURN(seen.weight, NumberOf(state, name + "/weight"));
    each.observer->set_state(seen);
  }
  QAT_RETURN_IF_ERROR(optimizer_->Load(spans_, state));
  QAT_RETURN_IF_ERROR(history_.Load(state));
  if (average_) QAT_RETURN_IF_ERROR(average_->Load(spans_, state));
  return {};
}

}  // namespace qat
