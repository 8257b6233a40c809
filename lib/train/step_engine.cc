#include "train/step_engine.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>

#include "base/random.h"
#include "base/strings.h"
#include "ir/output_source.h"
#include "train/gradient_norm.h"
#include "train/modules/nhwc.h"
#include "train/tensor_span.h"

namespace qat {
namespace {

// Part of the learning rate that learned ranges have under momentum. mobilenet_v1 0.25 on CIFAR-10, w4a8
// fine-tuned for 352 steps with batch norms that go on learning: 77.5 % of the test set with 0.05, 77.2 with
// 0.002, 77.3 with observed ranges. With 1, the training loss stayed above that of observed ranges (0.671
// instead of 0.660 in steps 200 to 300).
constexpr float kMomentumRate = 0.05f;

TrainableSpan TrainableOf(const Parameter& parameter) {
  return {parameter.name,
          SpanOf(parameter.value),
          {},
          parameter.role == ParameterSpec::Role::kFilter && !parameter.is_range()};
}

std::string Rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g", value);
  return text;
}

}  // namespace

StepEngine::StepEngine(const TrainConfig& config, Schedule schedule)
    : config_(config), schedule_(schedule), history_(schedule.steps), watch_(schedule.steps) {}

Expected<std::unique_ptr<StepEngine>> StepEngine::Create(const Graph& graph, const TrainConfig& config,
                                                         const Schedule& schedule, const Contract& contract,
                                                         const Checkpoint* init) {
  std::unique_ptr<StepEngine> engine(new StepEngine(config, schedule));
  const auto& outputs = contract.outputs;
  const bool real_answers = std::any_of(outputs.begin(), outputs.end(),
                                        [](const OutputContract& each) { return IsOfNumbers(each.task); });
  const ModuleOptions options = {config.seed,
                                 config.ema_decay,
                                 real_answers,
                                 PrecisionsFromName(config.scheme).value(),
                                 config.bn_convolutions,
                                 config.filter_ranges == kLearnedRanges,
                                 config.activation_ranges == kLearnedRanges && config.scheme != "float32"};
  QAT_ASSIGN_OR_RETURN(engine->network_, Network::Create(graph, options));
  engine->ranges_cover_ = real_answers;
  engine->network_->SetInputs(contract);
  const bool several = graph.outputs.size() > 1;
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    const OutputContract output = i < contract.outputs.size() ? contract.outputs[i] : OutputContract();
    engine->losses_.push_back({output, config.label_smoothing, {}, EndsInSigmoid(graph, i), several});
    const auto weight = config.output_weights.find(output.name);
    engine->output_weights_.push_back(several && weight != config.output_weights.end() ? weight->second : 1);
  }
  engine->target_units_.resize(graph.outputs.size());
  if (init != nullptr) {
    QAT_ASSIGN_OR_RETURN_IN("`init`", engine->inherited_, engine->network_->Inherit(*init));
  }
  if (!config.freeze_layers.empty()) {
    QAT_ASSIGN_OR_RETURN_IN("`freeze_layers`", engine->held_, engine->network_->Hold(config.freeze_layers));
  }
  engine->parameters_ = engine->network_->parameters();
  engine->observers_ = engine->network_->observers();
  for (const Parameter& each : engine->parameters_) engine->spans_.push_back(TrainableOf(each));
  engine->optimizer_ = config.optimizer == "sgd"
                           ? MakeSgd(config.weight_decay, config.momentum, config.nesterov)
                           : MakeAdam(config.weight_decay);
  if (config.weight_average_decay > 0) {
    engine->average_.emplace(config.weight_average_decay);
    QAT_ASSIGN_OR_RETURN(engine->averaged_, Network::Create(graph, options));
    engine->averaged_->SetInputs(contract);
    if (!config.freeze_layers.empty()) QAT_RETURN_IF_ERROR(engine->averaged_->Hold(config.freeze_layers));
  }
  return engine;
}

void StepEngine::SetWeights(std::vector<std::vector<float>> weights) {
  for (size_t i = 0; i < weights.size(); ++i) losses_[i].weights = std::move(weights[i]);
}

Status StepEngine::LearnFrom(const Checkpoint& teacher) {
  QAT_CHECK(losses_.size() == 1);
  QAT_ASSIGN_OR_RETURN(teacher_, Teacher::Load(teacher));
  losses_[0].teacher_weight = config_.teacher_weight;
  losses_[0].teacher_temperature = config_.teacher_temperature;
  return {};
}

void StepEngine::ShareBatches(Workers& workers) {
  workers_ = &workers;
  Broadcast();
}

// Parameters and averages of rank 0.
void StepEngine::Broadcast() {
  const at::NoGradGuard no_gradients;
  for (const Parameter& each : parameters_) {
    workers_->Broadcast(SpanOf(each.value));
  }
}

void StepEngine::NoteBefore() {
  averages_before_.clear();
  ranges_before_.clear();
  batches_before_.clear();
  for (const Parameter& each : parameters_)
    averages_before_.push_back(each.IsTrained() ? at::Tensor() : each.value.clone());
  for (const NamedObserver& each : observers_) ranges_before_.push_back(each.observer->state());
  for (const NamedStatistics& each : network_->batch_norms())
    batches_before_.push_back(each.statistics->batches());
}

void StepEngine::UndoStep() {
  for (size_t i = 0; i < averages_before_.size(); ++i) {
    if (averages_before_[i].defined()) parameters_[i].value.copy_(averages_before_[i]);
  }
  for (size_t i = 0; i < ranges_before_.size(); ++i) observers_[i].observer->set_state(ranges_before_[i]);
  for (size_t i = 0; i < batches_before_.size(); ++i)
    network_->batch_norms()[i].statistics->set_batches(batches_before_[i]);
}

Expected<LossResult> StepEngine::Step(const Batch& batch, int64_t step) {
  ReturnStatistics();
  if (workers_ != nullptr) NoteBefore();
  // Before rounding starts, and early enough to have seen much by then.
  if (step > 0 && step == schedule_.quant_delay / 2 && step < schedule_.freeze_ranges_at) {
    for (const NamedObserver& each : observers_) each.observer->Restart();
  }
  QAT_ASSIGN_OR_RETURN(const LossResult result, BackPropagate(batch, step));
  QAT_RETURN_IF_ERROR(CheckLoss(batch, result.loss, step));
  MeasureRanges(step);
  ClipGradients();
  optimizer_->Step(spans_, LearningRate(config_, schedule_.steps, step));
  if (average_) average_->Update(spans_);
  if (config_.scheme != "float32" && history_.Due(step + 1)) {
    std::vector<Range> ranges;
    for (const NamedObserver& each : observers_) ranges.push_back(each.observer->range());
    history_.Record(step + 1, std::move(ranges));
  }
  return result;
}

// A step of Adam's has the size of the learning rate, however large the parameter is: ends of ranges learn in
// units of themselves, or of the width of a range with two ends, so that the rate is the part by which they
// change. Those of momentum have the scale of their gradient, as in LSQ's paper.
void StepEngine::MeasureRanges(int64_t step) {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].is_range()) continue;
    if (step >= schedule_.freeze_ranges_at) spans_[i].gradient = {};
    const auto ends = spans_[i].values;
    if (config_.optimizer != "adam") {
      spans_[i].units.assign(ends.size(), std::sqrt(kMomentumRate));
    } else if (parameters_[i].kind == ParameterKind::kOutputEnds) {
      spans_[i].units.assign(ends.size(), ends[1] - ends[0]);
    } else {
      spans_[i].units.assign(ends.begin(), ends.end());
    }
  }
}

double StepEngine::GradientNorm() const {
  return config_.clip_norm > 0 ? norm_before_clipping_ : NormOfGradients(spans_);
}

void StepEngine::ClipGradients() {
  if (config_.clip_norm == 0) return;
  norm_before_clipping_ = NormOfGradients(spans_);
  const double factor = ClipFactor(norm_before_clipping_, config_.clip_norm);
  if (factor == 1) return;
  for (Parameter& each : parameters_) {
    if (each.Learns()) each.value.mutable_grad().mul_(factor);
  }
}

LossResult StepEngine::LossOf(size_t output, Wanted wanted, const at::Tensor& outputs,
                              at::Tensor& gradient) const {
  gradient = at::empty_like(outputs, outputs.options().requires_grad(false));
  const std::span<float> slopes = SpanOf(gradient);
  const LossResult result = losses_[output].Of(SpanOf(outputs), outputs.size(-1), wanted, slopes);
  const std::vector<float>& units = target_units_[output];
  for (size_t i = 0; !units.empty() && i < slopes.size(); ++i) {
    const float unit = units[i % units.size()];
    slopes[i] /= unit * unit;
  }
  return result;
}

// Of several outputs the weighted sum, counted in examples; no answer is right by itself.
LossResult StepEngine::SumOf(const std::vector<LossResult>& results) const {
  if (results.size() == 1) return results[0];
  LossResult sum;
  sum.counted = config_.batch_size;
  for (size_t i = 0; i < results.size(); ++i) sum.loss += output_weights_[i] * results[i].loss;
  return sum;
}

// The sum over all processes; a share of the gradient of its mean.
void StepEngine::SumLosses(std::vector<LossResult>& results, std::vector<at::Tensor>& gradients) {
  // NaN stays NaN: all processes stop.
  std::vector<double> totals;
  for (const LossResult& own : results) {
    totals.insert(totals.end(), {own.loss * own.weight, own.weight, static_cast<double>(own.correct),
                                 static_cast<double>(own.counted)});
  }
  workers_->Sum(totals);
  for (size_t i = 0; i < results.size(); ++i) {
    const double* total = &totals[4 * i];
    gradients[i].mul_(results[i].weight / std::max(total[1], 1e-30));
    results[i] = {total[0] / std::max(total[1], 1e-30), static_cast<int64_t>(total[2]),
                  static_cast<int64_t>(total[3]), total[1]};
  }
}

// The second half is that of the examples that were mixed into those of the first; the answers that are right
// are of the first.
void StepEngine::MixLosses(double own_part, std::vector<LossResult>& results,
                           std::vector<at::Tensor>& gradients) {
  const size_t count = results.size() / 2;
  for (size_t i = 0; i < count; ++i) {
    results[i].loss = own_part * results[i].loss + (1 - own_part) * results[count + i].loss;
    gradients[i].mul_(own_part).add_(gradients[count + i], 1 - own_part);
  }
  results.resize(count);
  gradients.resize(count);
}

uint64_t StepEngine::DropoutKey(int64_t step) const {
  constexpr uint64_t kPurpose = 0x64726f70;  // "drop"
  return MixKey(config_.seed, kPurpose, step);
}

Expected<LossResult> StepEngine::BackPropagate(const Batch& batch, int64_t step) {
  for (Parameter& parameter : parameters_) {
    if (parameter.Learns()) parameter.value.mutable_grad().reset();
  }
  const ForwardContext context = {.training = true,
                                  .observe = config_.scheme != "float32" && step < schedule_.freeze_ranges_at,
                                  .fake_quantize = Quantizing(step),
                                  .freeze_batch_norm = step >= schedule_.freeze_batch_norm_at,
                                  .dropout_key = DropoutKey(step),
                                  .sharing = {workers_, batch.share, batch.first}};
  std::vector<at::Tensor> outputs;
  for (const at::Tensor& each : network_->Forward(batch.inputs, context))
    outputs.push_back(functional::ToNhwc(each).contiguous());
  if (teacher_) taught_ = teacher_->AnswersTo(batch.inputs);
  // Of each output, and where examples are mixed, then once more of each with the labels of the others.
  const size_t count = outputs.size();
  std::vector<at::Tensor> gradients(batch.others.empty() ? count : 2 * count);
  std::vector<LossResult> results(gradients.size());
  for (size_t i = 0; i < gradients.size(); ++i) {
    const BatchLabels& labels = i < count ? batch.outputs[i] : batch.others[i - count];
    Wanted wanted = labels.wanted();
    wanted.teacher = taught_;
    results[i] = LossOf(i % count, wanted, outputs[i % count], gradients[i]);
  }
  if (workers_ != nullptr) SumLosses(results, gradients);
  if (!batch.others.empty()) MixLosses(batch.own_part, results, gradients);
  const LossResult result = SumOf(results);
  if (!std::isfinite(result.loss) || !network_->NonFiniteObserved().empty()) {
    return NotFinite(StrCat("the loss of step ", step + 1, " is ", result.loss), batch.inputs);
  }
  BackPropagate(outputs, gradients);
  TakeGradients();
  if (workers_ != nullptr) SumGradients();
  return result;
}

// Through what outputs share, once: the gradient of the sum of all values, each times its own gradient, is
// these.
void StepEngine::BackPropagate(const std::vector<at::Tensor>& outputs,
                               const std::vector<at::Tensor>& gradients) const {
  if (outputs.size() == 1) return outputs[0].backward(gradients[0]);
  at::Tensor sum;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const at::Tensor own = outputs[i].mul(gradients[i]).sum().mul(output_weights_[i]);
    sum = sum.defined() ? sum.add(own) : own;
  }
  sum.backward();
}

// In one message: each costs the way to all processes and back.
void StepEngine::SumGradients() {
  std::vector<float> all;
  for (const TrainableSpan& each : spans_) all.insert(all.end(), each.gradient.begin(), each.gradient.end());
  workers_->Sum(all);
  size_t at = 0;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].Learns()) continue;
    const at::Tensor& gradient = parameters_[i].value.grad();
    std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(at), gradient.numel(), gradient.data_ptr<float>());
    at += static_cast<size_t>(gradient.numel());
  }
}

double StepEngine::ChanceOf(const Batch& batch) {
  double chance = 0;
  for (size_t i = 0; i < losses_.size(); ++i) {
    const Shape& output = network_->output_module(i).node().output_shape;
    Wanted wanted = batch.outputs[i].wanted();
    wanted.teacher = taught_;
    chance += output_weights_[i] * losses_[i].Chance(output.empty() ? 1 : output.back(), wanted);
  }
  return chance;
}

Status StepEngine::CheckLoss(const Batch& batch, double loss, int64_t step) {
  watch_.Add(loss, ChanceOf(batch));
  const auto finding = watch_.Diverged(step + 1 == schedule_.steps);
  if (!finding) return {};
  return Numerical(StrCat("training diverges: the loss of steps ", step + 2 - finding->window, " to ",
                          step + 1, " is ", Rounded(finding->loss),
                          " on average, that of an untrained network ", Rounded(finding->chance), "; ",
                          network_->LargestParameter(), "; a smaller learning rate usually helps (it is ",
                          config_.learning_rate, ")"));
}

void StepEngine::TakeGradients() {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].Learns()) continue;
    at::Tensor& given = parameters_[i].value.mutable_grad();
    given = given.defined() ? given.contiguous() : at::zeros_like(parameters_[i].value.detach());
    spans_[i].gradient = SpanOf(given);
  }
}

Error StepEngine::NotFinite(std::string_view what, const std::vector<at::Tensor>& inputs) {
  std::string layer = network_->NonFiniteObserved();
  if (layer.empty()) layer = network_->FindNonFinite(inputs);
  return Numerical(StrCat(
      what, layer.empty() ? "" : StrCat("; layer '", layer, "' is the first with values that are not finite"),
      "; a smaller learning rate usually helps (it is ", config_.learning_rate, ")"));
}

}  // namespace qat
