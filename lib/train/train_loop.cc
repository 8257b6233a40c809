#include "train/train_loop.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "base/random.h"
#include "base/strings.h"
#include "train/fake_quantize.h"
#include "train/input_tensor.h"
#include "train/loss.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

constexpr uint64_t kDropoutPurpose = 0x64726f70;  // "drop"
constexpr int64_t kRangeBatches = 32;             // that ranges of averaged weights are estimated from

std::span<const float> SpanOf(const at::Tensor& tensor) {
  return {tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel())};
}

}  // namespace

TrainLoop::TrainLoop(TrainInputs inputs, Schedule schedule, HoldoutSplit split)
    : inputs_(std::move(inputs)),
      schedule_(schedule),
      split_(std::move(split)),
      table_(MakeRealTable(inputs_.header.contract)),
      sampler_(split_.train, inputs_.config.batch_size, inputs_.config.seed),
      history_(schedule.steps) {}

Expected<std::unique_ptr<TrainLoop>> TrainLoop::Create(TrainInputs inputs,
                                                       const std::optional<SavedRun>& saved) {
  const TrainConfig& config = inputs.config;
  HoldoutSplit split = SplitHoldout(inputs.train.size(), config.holdout, config.seed);
  if (split.holdout.empty() && inputs.test.size() == 0) {
    return InvalidArgument("holdout is 0 and the test set is empty, expected examples to evaluate on");
  }
  const Schedule schedule = MakeSchedule(config, static_cast<int64_t>(split.train.size()));
  std::unique_ptr<TrainLoop> loop(new TrainLoop(std::move(inputs), schedule, std::move(split)));
  const ModuleOptions options = {config.seed, config.ema_decay, SchemeFromName(config.scheme).value()};
  QAT_ASSIGN_OR_RETURN(loop->network_, Network::Create(loop->inputs_.spec, options));
  loop->network_->SetInput(loop->inputs_.header.contract);
  const Checkpoint* init = loop->inputs_.init;
  if (init != nullptr && !saved) QAT_RETURN_IF_ERROR_IN("--init", loop->network_->Load(*init));
  loop->parameters_ = loop->network_->parameters();
  loop->observers_ = loop->network_->observers();
  for (const Parameter& each : loop->parameters_) {
    loop->spans_.push_back({each.name,
                            {each.value.data_ptr<float>(), static_cast<size_t>(each.value.numel())},
                            {},
                            each.role == ParameterSpec::Role::kFilter});
  }
  loop->optimizer_ = config.optimizer == "sgd" ? MakeSgd(config.weight_decay) : MakeAdam(config.weight_decay);
  if (config.weight_average_decay > 0) {
    loop->average_.emplace(config.weight_average_decay);
    QAT_ASSIGN_OR_RETURN(loop->averaged_, Network::Create(loop->inputs_.spec, options));
    loop->averaged_->SetInput(loop->inputs_.header.contract);
  }
  if (saved)
    QAT_RETURN_IF_ERROR_IN(TrainerStatePath(loop->inputs_.run, saved->state.step),
                           loop->Restore(saved->state));
  const int64_t metrics_size = saved ? static_cast<int64_t>(saved->state.scalars.at("metrics_size")) : 0;
  QAT_ASSIGN_OR_RETURN(loop->log_, MetricsLog::Open(loop->inputs_.run, metrics_size, loop->step_));
  if (metrics_size == 0) {
    QAT_RETURN_IF_ERROR(
        loop->log_->WriteStart({schedule.steps, schedule.quant_delay, config.batch_size, config.scheme}));
  }
  return loop;
}

Expected<TrainResult> TrainLoop::Run() {
  const auto begin = std::chrono::steady_clock::now();
  const TrainCallbacks& callbacks = inputs_.callbacks;
  while (step_ < schedule_.steps) {
    if (step_ == schedule_.quant_delay) QAT_RETURN_IF_ERROR(log_->WriteQuantize(step_));
    QAT_RETURN_IF_ERROR(Step());
    if (callbacks.on_step) {
      callbacks.on_step({step_, schedule_.steps, step_loss_, seen_ > 0 ? TrainingAccuracy() : 0});
    }
    if (step_ % inputs_.config.log_every == 0) QAT_RETURN_IF_ERROR(LogStep());
    if (EvaluationDue()) QAT_RETURN_IF_ERROR(EvaluateDeployed());
    if (CheckpointDue()) QAT_RETURN_IF_ERROR(SaveScheduled());
    if (step_ < schedule_.steps && callbacks.interrupted && callbacks.interrupted()) {
      if (!CheckpointDue()) QAT_RETURN_IF_ERROR(SaveInterrupted());
      return Error{ErrorCode::kInterrupted,
                   StrCat("interrupted at step ", step_, "; saved as ", CheckpointPath(inputs_.run, step_),
                          ", go on with --resume")};
    }
  }
  QAT_RETURN_IF_ERROR(PruneRun(inputs_.run, schedule_, step_, best_.step));
  const bool classes = inputs_.train.targets == 0;
  QAT_RETURN_IF_ERROR(log_->WriteEnd(step_, best_.step, classes ? best_.value : std::nan("")));
  QAT_RETURN_IF_ERROR(log_->Sync());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  TrainResult result;
  result.step = step_;
  result.holdout_accuracy = last_evaluation_.accuracy;
  result.best_accuracy = classes ? best_.value : std::nan("");
  if (!classes) {
    result.holdout_rmse = std::sqrt(last_evaluation_.loss);
    result.best_rmse = std::sqrt(std::max(-best_.value, 0.0));
  }
  result.best_step = best_.step;
  result.seconds = taken.count();
  result.checkpoint = CheckpointPath(inputs_.run, step_);
  return result;
}

// The images of a step, changed as the recipe says, and their labels. Those of the next step are read meanwhile.
Expected<TrainLoop::Batch> TrainLoop::ReadBatch(int64_t step) {
  const Dataset& data = inputs_.train;
  std::vector<int32_t> examples, next;
  if (data.stream != nullptr) sampler_.Batch(step + 1, next);
  sampler_.Batch(step, examples);
  const auto size = static_cast<size_t>(data.ImageSize());
  Bytes stored(examples.size() * size);
  Bytes changed(stored.size());
  QAT_RETURN_IF_ERROR(data.Read(examples, stored, next));
  const auto per_image = static_cast<size_t>(data.targets > 0 ? 0 : data.LabelsPerImage());
  Batch batch;
  batch.labels.resize(examples.size() * per_image);
  for (size_t i = 0; i < examples.size(); ++i) {
    const ImageChange change = DrawChange(inputs_.config, step, static_cast<int64_t>(i));
    ChangeImage(std::span(stored).subspan(i * size, size), data.height, data.width, data.channels, change,
                std::span(changed).subspan(i * size, size));
    if (data.targets > 0) {
      const std::span<const float> numbers = data.NumbersOf(examples[i]);
      batch.numbers.insert(batch.numbers.end(), numbers.begin(), numbers.end());
      continue;
    }
    const std::span<int32_t> labels = std::span(batch.labels).subspan(i * per_image, per_image);
    ChangeLabels(data.LabelsOf(examples[i]), data.label_height, data.label_width, data.height, data.width,
                 change, labels);
  }
  batch.images = RealImages(inputs_.header.contract, table_, changed);
  return batch;
}

Status TrainLoop::Step() {
  QAT_ASSIGN_OR_RETURN(const Batch batch, ReadBatch(step_));
  QAT_RETURN_IF_ERROR(BackPropagate(batch));
  optimizer_->Step(spans_, LearningRate(inputs_.config, schedule_.steps, step_));
  if (average_) average_->Update(spans_);
  ++step_;
  if (inputs_.config.scheme != "float32" && history_.Due(step_)) {
    std::vector<Range> ranges;
    for (const NamedObserver& each : observers_) ranges.push_back(each.observer->range());
    history_.Record(step_, std::move(ranges));
  }
  return {};
}

LossResult TrainLoop::LossOf(const Batch& batch, const at::Tensor& outputs, at::Tensor& gradient) const {
  const std::span<float> wanted(gradient.data_ptr<float>(), static_cast<size_t>(gradient.numel()));
  if (inputs_.train.targets > 0) return MeanSquaredError(SpanOf(outputs), batch.numbers, wanted);
  return SoftmaxCrossEntropy(SpanOf(outputs), batch.labels, outputs.size(-1), inputs_.config.label_smoothing,
                             wanted);
}

Status TrainLoop::BackPropagate(const Batch& batch) {
  for (Parameter& parameter : parameters_) {
    if (parameter.IsTrained()) parameter.value.mutable_grad().reset();
  }
  const ForwardContext context = {
      .training = true,
      .observe = inputs_.config.scheme != "float32" && step_ < schedule_.freeze_ranges_at,
      .fake_quantize = Quantizing(step_),
      .freeze_batch_norm = step_ >= schedule_.freeze_batch_norm_at,
      .dropout_key = MixKey(inputs_.config.seed, kDropoutPurpose, step_)};
  const at::Tensor logits = functional::ToNhwc(network_->Forward(batch.images, context)).contiguous();
  at::Tensor gradient = at::empty_like(logits, logits.options().requires_grad(false));
  const LossResult result = LossOf(batch, logits, gradient);
  if (!std::isfinite(result.loss) || !network_->NonFiniteObserved().empty()) {
    return NotFinite(StrCat("the loss of step ", step_ + 1, " is ", result.loss), batch.images);
  }
  logits.backward(gradient);
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].IsTrained()) continue;
    at::Tensor& given = parameters_[i].value.mutable_grad();
    given = given.defined() ? given.contiguous() : at::zeros_like(parameters_[i].value.detach());
    spans_[i].gradient = SpanOf(given);
  }
  const auto seen = static_cast<int64_t>(std::max(batch.labels.size(), batch.numbers.size()));
  step_loss_ = result.loss;
  loss_sum_ += result.loss * static_cast<double>(seen);
  correct_ += result.correct;
  seen_ += seen;
  return {};
}

Error TrainLoop::NotFinite(std::string_view what, const at::Tensor& images) {
  std::string layer = network_->NonFiniteObserved();
  if (layer.empty()) layer = network_->FindNonFinite(images);
  return Numerical(StrCat(
      what, layer.empty() ? "" : StrCat("; layer '", layer, "' is the first with values that are not finite"),
      "; a smaller learning rate usually helps (it is ", inputs_.config.learning_rate, ")"));
}

double TrainLoop::TrainingAccuracy() const {
  if (inputs_.train.targets > 0) return std::nan("");
  return 100.0 * static_cast<double>(correct_) / static_cast<double>(seen_);
}

Status TrainLoop::LogStep() {
  const double loss = loss_sum_ / static_cast<double>(seen_);
  const double accuracy = TrainingAccuracy();
  loss_sum_ = 0;
  correct_ = 0;
  seen_ = 0;
  return log_->WriteTrain(step_, loss, accuracy, LearningRate(inputs_.config, schedule_.steps, step_ - 1));
}

Status TrainLoop::EvaluateDeployed() {
  std::vector<int32_t> all(static_cast<size_t>(split_.holdout.empty() ? inputs_.test.size() : 0));
  std::iota(all.begin(), all.end(), 0);
  const Dataset& data = split_.holdout.empty() ? inputs_.test : inputs_.train;
  if (average_) QAT_RETURN_IF_ERROR(EstimateAveraged());
  QAT_ASSIGN_OR_RETURN(last_evaluation_,
                       Evaluate(Deployed(), inputs_.header.contract, data,
                                split_.holdout.empty() ? all : split_.holdout, Quantizing(step_ - 1)));
  evaluated_step_ = step_;
  if (!std::isfinite(last_evaluation_.loss)) {
    QAT_ASSIGN_OR_RETURN(const Batch batch, ReadBatch(step_ - 1));
    return NotFinite(StrCat("the ", SplitName(), " loss after step ", step_, " is ", last_evaluation_.loss),
                     batch.images);
  }
  QAT_RETURN_IF_ERROR(log_->WriteEval(step_, SplitName(), last_evaluation_.accuracy, last_evaluation_.loss));
  for (const NamedObserver& each : Deployed().observers()) {
    if (each.observer->empty()) continue;
    QAT_RETURN_IF_ERROR(log_->WriteRange(step_, each.name, each.observer->range()));
  }
  return {};
}

Status TrainLoop::SaveScheduled() {
  const Merit merit = {Quantizing(step_ - 1), last_evaluation_.Merit(), step_};
  if (std::pair(merit.quantized, merit.value) > std::pair(best_.quantized, best_.value)) best_ = merit;
  QAT_RETURN_IF_ERROR(log_->WriteCheckpoint(step_));
  QAT_ASSIGN_OR_RETURN(const int64_t size, log_->Sync());
  QAT_RETURN_IF_ERROR(SaveRun(inputs_.run, MakeCheckpoint(), MakeState(size)));
  return PruneRun(inputs_.run, schedule_, step_, best_.step);
}

// Nothing of it is in the metrics, and the next scheduled checkpoint removes it.
Status TrainLoop::SaveInterrupted() {
  QAT_ASSIGN_OR_RETURN(const int64_t size, log_->Sync());
  if (average_ && evaluated_step_ != step_) QAT_RETURN_IF_ERROR(EstimateAveraged());
  return SaveRun(inputs_.run, MakeCheckpoint(), MakeState(size));
}

Network& TrainLoop::Deployed() { return average_ ? *averaged_ : *network_; }

// Ranges learned from the weights in training do not fit their average: they are observed again, on the
// latest batches.
Status TrainLoop::EstimateAveraged() {
  const at::NoGradGuard no_gradients;
  std::vector<Parameter> parameters = averaged_->parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    const std::vector<float>& values = average_->values()[i];
    std::copy(values.begin(), values.end(), parameters[i].value.data_ptr<float>());
  }
  if (inputs_.config.scheme == "float32") return {};
  for (const NamedObserver& each : averaged_->observers()) each.observer->set_state({});
  for (int64_t step = std::max<int64_t>(step_ - kRangeBatches, 0); step < step_; ++step) {
    QAT_ASSIGN_OR_RETURN(const Batch batch, ReadBatch(step));
    averaged_->Forward(batch.images, {.observe = true, .fake_quantize = Quantizing(step_ - 1)});
  }
  return {};
}

Checkpoint TrainLoop::MakeCheckpoint() {
  Checkpoint checkpoint = inputs_.header;
  checkpoint.step = step_;
  Deployed().Save(checkpoint);
  for (size_t i = 0; i < observers_.size(); ++i) {
    const auto range = checkpoint.ranges.find(observers_[i].name);
    if (range == checkpoint.ranges.end() || observers_[i].observer->empty()) continue;
    range->second.drift = history_.DriftOf(i, observers_[i].observer->range());
  }
  if (evaluated_step_ == step_) {
    if (!std::isnan(last_evaluation_.accuracy))
      checkpoint.metrics[StrCat(SplitName(), "_accuracy")] = last_evaluation_.accuracy;
    checkpoint.metrics[StrCat(SplitName(), "_loss")] = last_evaluation_.loss;
    checkpoint.metrics["fake_quantize"] = Quantizing(step_ - 1) ? 1 : 0;
  }
  return checkpoint;
}

TrainerState TrainLoop::MakeState(int64_t metrics_size) {
  TrainerState state;
  state.step = step_;
  state.scalars = {{"metrics_size", static_cast<double>(metrics_size)},
                   {"loss_sum", loss_sum_},
                   {"correct", static_cast<double>(correct_)},
                   {"seen", static_cast<double>(seen_)},
                   {"last_accuracy", last_evaluation_.accuracy},
                   {"last_loss", last_evaluation_.loss},
                   {"evaluated_step", static_cast<double>(evaluated_step_)},
                   {"best/quantized", best_.quantized ? 1 : 0},
                   {"best/accuracy", best_.value},
                   {"best/step", static_cast<double>(best_.step)}};
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
  return state;
}

Status TrainLoop::Restore(const TrainerState& state) {
  std::string missing;
  const auto number = [&](const std::string& name) {
    const auto found = state.scalars.find(name);
    if (found == state.scalars.end()) missing = name;
    return found == state.scalars.end() ? 0.0 : found->second;
  };
  step_ = state.step;
  number("metrics_size");
  loss_sum_ = number("loss_sum");
  correct_ = static_cast<int64_t>(number("correct"));
  seen_ = static_cast<int64_t>(number("seen"));
  last_evaluation_ = {number("last_accuracy"), number("last_loss")};
  evaluated_step_ = static_cast<int64_t>(number("evaluated_step"));
  best_ = {number("best/quantized") != 0, number("best/accuracy"), static_cast<int64_t>(number("best/step"))};
  for (TrainableSpan& each : spans_) {
    const auto found = state.tensors.find(StrCat("parameter/", each.name));
    if (found == state.tensors.end() || found->second.values.size() != each.values.size()) {
      return Corrupt(StrCat("tensor 'parameter/", each.name, "' is missing or of the wrong size"));
    }
    std::copy(found->second.values.begin(), found->second.values.end(), each.values.begin());
  }
  for (const NamedObserver& each : observers_) {
    const std::string name = StrCat("observer/", each.name);
    each.observer->set_state(
        {number(name + "/min_sum"), number(name + "/max_sum"), number(name + "/weight")});
  }
  if (!missing.empty()) return Corrupt(StrCat("number '", missing, "' is missing"));
  QAT_RETURN_IF_ERROR(optimizer_->Load(spans_, state));
  QAT_RETURN_IF_ERROR(history_.Load(state));
  if (average_) QAT_RETURN_IF_ERROR(average_->Load(spans_, state));
  return {};
}

}  // namespace qat
