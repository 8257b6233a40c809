#include "train/train_loop.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <utility>
#include <vector>

#include "base/join_some.h"
#include "base/strings.h"
#include "data/statistics.h"
#include "train/outcome.h"
#include "train/threads.h"

namespace qat {
namespace {

// What a run that starts from another one's layers left fresh; empty: nothing.
std::string Describe(const Inherited& inherited) {
  constexpr size_t kShown = 6;
  if (inherited.fresh.empty()) return "";
  return StrCat("`init`: ", inherited.kept, inherited.kept == 1 ? " layer is" : " layers are",
                " taken over; fresh: ", JoinSome(inherited.fresh, kShown));
}

}  // namespace

TrainLoop::TrainLoop(TrainInputs inputs, Schedule schedule, HoldoutSplit split)
    : inputs_(std::move(inputs)),
      schedule_(schedule),
      split_(std::move(split)),
      feed_(inputs_.train, inputs_.config, InputTensors(inputs_.header.contract, inputs_.network),
            split_.train) {}

Expected<std::unique_ptr<TrainLoop>> TrainLoop::Create(TrainInputs inputs,
                                                       const std::optional<SavedRun>& saved) {
  const TrainConfig& config = inputs.config;
  HoldoutSplit split = std::move(inputs.split);
  if (split.holdout.empty() && inputs.test.size() == 0) {
    return InvalidArgument("nothing is held out and the test set is empty, expected examples to evaluate on");
  }
  const Schedule schedule = MakeSchedule(config, static_cast<int64_t>(split.train.size()));
  std::unique_ptr<TrainLoop> loop(new TrainLoop(std::move(inputs), schedule, std::move(split)));
  const TrainInputs& own = loop->inputs_;
  QAT_ASSIGN_OR_RETURN(loop->engine_, StepEngine::Create(own.network, config, schedule, own.header.contract,
                                                         saved ? nullptr : own.init));
  if (own.callbacks.on_note && loop->engine_->inherited()) {
    if (const std::string text = Describe(*loop->engine_->inherited()); !text.empty())
      own.callbacks.on_note(text);
  }
  if (const std::vector<std::string>& held = loop->engine_->held(); own.callbacks.on_note && !held.empty())
    own.callbacks.on_note(StrCat("`freeze_layers`: ", held.size(),
                                 held.size() == 1 ? " layer stays" : " layers stay", " as ",
                                 held.size() == 1 ? "it is: " : "they are: ", JoinSome(held, 6)));
  // Outputs that are taken over mean what they did.
  const auto before = [&](size_t output) -> const Checkpoint* {
    if (saved) return &saved->checkpoint;
    return loop->engine_->inherited() && loop->engine_->inherited()->outputs[output] ? own.init : nullptr;
  };
  for (size_t i = 0; i < own.train.output_count(); ++i) {
    const OutputLabels& labels = own.train.output_labels(i);
    if (labels.task != Task::kNumbers) continue;
    if (const Checkpoint* from = before(i))
      QAT_RETURN_IF_ERROR(loop->TakeTargets(i, *from, saved.has_value()));
    if (config.scale_to_targets && own.header.contract.outputs[i].mean.empty())
      loop->engine_->LearnInUnits(i, MeasureTargets(labels, loop->split_.train).std);
  }
  loop->engine_->SetWeights(own.class_weights);
  if (own.teacher != nullptr) QAT_RETURN_IF_ERROR_IN("`teacher`", loop->engine_->LearnFrom(*own.teacher));
  if (saved) {
    loop->step_ = saved->state.step;
    QAT_RETURN_IF_ERROR_IN(TrainerStatePath(own.run, loop->step_), loop->engine_->Load(saved->state));
  }
  if (own.workers != nullptr) loop->engine_->ShareBatches(*own.workers);
  if (!loop->Writes()) return loop;
  RunRecorder::Run run = {own.run, loop->SplitName(),
                          own.train.output_count() == 1 && !IsOfNumbers(own.train.task), own.header,
                          std::ssize(loop->WatchedExamples())};
  QAT_ASSIGN_OR_RETURN(loop->recorder_, RunRecorder::Open(std::move(run), schedule, config, saved));
  loop->out_of_patience_ = loop->recorder_->OutOfPatience();
  return loop;
}

Status TrainLoop::TakeTargets(size_t index, const Checkpoint& before, bool resumed) {
  std::vector<OutputContract>& outputs = inputs_.header.contract.outputs;
  OutputContract& output = outputs[index];
  size_t place = index;
  // A file of weights alone has no network.
  const std::vector<int32_t>& there = before.network.outputs;
  if (outputs.size() > 1 && !resumed && !there.empty()) {
    const auto same = [&](int32_t tensor) { return before.network.tensor(tensor).name == output.name; };
    const auto found = std::find_if(there.begin(), there.end(), same);
    if (found == there.end()) return {};  // a layer that was inside
    place = static_cast<size_t>(found - there.begin());
  }
  // A model of others says nothing of its outputs: they are the numbers themselves.
  const std::vector<OutputContract>& known = before.contract.outputs;
  const OutputContract own = place < known.size() ? known[place] : OutputContract();
  if (outputs.size() > 1 && !own.mean.empty() && own.mean.size() != output.mean.size()) return {};
  // A network that gives the numbers themselves, as one of others does, gives them normalized from here on.
  // What takes no step stays.
  const bool learned_so = own.mean.empty() && !output.mean.empty() && !resumed && !inputs_.only_start;
  if (learned_so && engine_->NormalizeOutput(index, output)) return StartFromAnswers(index, output);
  if (learned_so) {
    SayTargets(output,
               "learned as they are: the network does not end in a dense layer or a convolution with a bias "
               "of its own and no "
               "activation, that nothing else reads, which alone can be scaled to them");
  }
  output.mean = own.mean;
  output.std = own.std;
  engine_->SetOutput(index, output);
  return {};
}

// Of a normalized output. Answers that are further off than those of a network that knows nothing are not
// worth starting from: of small networks those that were 2 deviations off learned as well with a fresh last
// layer, those 8 to 1,600 off four times as fast or more.
Status TrainLoop::StartFromAnswers(size_t index, const OutputContract& output) {
  constexpr double kMostDeviations = 2;
  QAT_ASSIGN_OR_RETURN(const Batch batch, feed_.Read(0));
  const double off = engine_->DeviationsOff(index, batch);
  const std::string learned =
      "learned as (target - mean) / std by those of the training data, and restored after the model; the "
      "last layer ";
  if (off <= kMostDeviations) {
    SayTargets(output,
               StrCat(learned, "was scaled so that the network starts with the answers that it gave"));
    return {};
  }
  engine_->StartOutput(index, batch);
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g", off);
  SayTargets(output, StrCat(learned, "starts fresh, since the answers that the network gave are ", text,
                            " deviations off"));
  return {};
}

// How the numbers of an output that was taken over are learned.
void TrainLoop::SayTargets(const OutputContract& output, const std::string& how) const {
  if (!inputs_.callbacks.on_note) return;
  const std::string what =
      inputs_.train.output_count() == 1 ? std::string("targets") : StrCat("targets of '", output.name, "'");
  inputs_.callbacks.on_note(StrCat(what, ": ", how));
}

Expected<TrainResult> TrainLoop::Run() {
  const auto begin = std::chrono::steady_clock::now();
  if (inputs_.only_start) QAT_RETURN_IF_ERROR(SaveStart());
  try {
    if (inputs_.workers != nullptr) out_of_patience_ = inputs_.workers->Any(out_of_patience_);
    while (!Done()) {
      if (Writes() && step_ == schedule_.quant_delay) QAT_RETURN_IF_ERROR(recorder_->LogQuantize(step_));
      if (engine_->FreezesStatistics(step_)) {
        if (Writes() && engine_->HasBatchNorms()) QAT_RETURN_IF_ERROR(recorder_->LogFreezeBatchNorm(step_));
        QAT_RETURN_IF_ERROR(engine_->FreezeStatistics(feed_, step_));
      }
      if (Status stepped = Step(); !stepped.ok()) return WithKept(std::move(stepped).error());
      if (Writes()) QAT_RETURN_IF_ERROR(Record());
      if (StopsHere()) return SaveInterrupted();
    }
  } catch (const WorkerLost& lost) {
    return EndWithout(lost);
  }
  if (!Writes()) return Result();
  QAT_RETURN_IF_ERROR(recorder_->End(step_));
  QAT_RETURN_IF_ERROR(WarnOfOutcome());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  TrainResult result = Result();
  result.seconds = taken.count();
  return result;
}

// Of one output of several numbers; see TaskLoss.
bool TrainLoop::InDeviations() const {
  const auto& outputs = inputs_.header.contract.outputs;
  return IsOfNumbers(inputs_.train.task) && outputs.size() == 1 && outputs[0].std.size() > 1;
}

Status TrainLoop::SaveStart() {
  QAT_RETURN_IF_ERROR(EvaluateDeployed());
  return recorder_->SaveScheduled(*engine_, step_);
}

// What a step leaves in log, checkpoints and on the screen.
Status TrainLoop::Record() {
  const double accuracy = recorder_->TrainingAccuracy();
  if (step_ % inputs_.config.log_every == 0) {
    const double rate = LearningRate(inputs_.config, schedule_.steps, step_ - 1);
    QAT_RETURN_IF_ERROR(recorder_->LogTraining(step_, rate, engine_->GradientNorm()));
  }
  if (EvaluationDue()) {
    QAT_RETURN_IF_ERROR(EvaluateDeployed());
    out_of_patience_ = recorder_->OutOfPatience();
  }
  if (CheckpointDue()) QAT_RETURN_IF_ERROR(recorder_->SaveScheduled(*engine_, step_));
  // Last, so that the line of an evaluated step has its own evaluation.
  if (inputs_.callbacks.on_step) {
    const Evaluation& last = recorder_->last_evaluation();
    inputs_.callbacks.on_step({step_, schedule_.steps, step_loss_, accuracy, recorder_->HasEvaluated(),
                               last.accuracy, last.loss, inputs_.train.output_count() > 1, InDeviations()});
  }
  return {};
}

// Whether somebody asks to stop before the end: in one process, for all of them.
bool TrainLoop::StopsHere() {
  const bool interrupted = inputs_.callbacks.interrupted && inputs_.callbacks.interrupted();
  if (inputs_.workers == nullptr) return interrupted && !Done();
  const auto [stops, ends] = inputs_.workers->Any(std::array{interrupted, out_of_patience_});
  out_of_patience_ = ends;
  return stops && !Done();
}

Status TrainLoop::Step() {
  const bool alone = inputs_.workers == nullptr;
  QAT_ASSIGN_OR_RETURN(const Batch batch,
                       feed_.Read(step_, alone ? WorkerPlace() : inputs_.workers->place()));
  QAT_ASSIGN_OR_RETURN(const LossResult result, engine_->Step(batch, step_));
  if (Writes()) recorder_->Count(result);
  step_loss_ = result.loss;
  ++step_;
  return {};
}

// What of a run that went wrong is left.
Error TrainLoop::WithKept(Error error) const {
  if (error.code != ErrorCode::kNumerical || !Writes()) return error;
  const int64_t best = recorder_->best().step;
  error.message += best > 0 ? StrCat("; the checkpoint of step ", best, " is kept, the best so far")
                            : std::string("; no checkpoint was written before");
  return error;
}

Status TrainLoop::WarnOfOutcome() {
  if (!inputs_.callbacks.on_warning) return {};
  QAT_ASSIGN_OR_RETURN(const std::vector<std::string> warnings,
                       JudgeOutcome(inputs_.run, Watched(), WatchedExamples(),
                                    split_.holdout.empty() ? "the test set" : "the holdout"));
  for (const std::string& warning : warnings) inputs_.callbacks.on_warning(warning);
  return {};
}

std::vector<int32_t> TrainLoop::WatchedExamples() const {
  if (!split_.holdout.empty()) return split_.holdout;
  std::vector<int32_t> all(static_cast<size_t>(inputs_.test.size()));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

Status TrainLoop::EvaluateDeployed() {
  const MoreThreads all(inputs_.threads);  // the others wait
  QAT_ASSIGN_OR_RETURN(Network* const deployed, engine_->Deploy(feed_, step_));
  Answers answers;
  OutputCounts counts;
  QAT_ASSIGN_OR_RETURN(
      const Evaluation evaluation,
      Evaluate(*deployed, inputs_.header.contract, Watched(), WatchedExamples(),
               engine_->Quantizing(step_ - 1), &answers, inputs_.config.output_weights, &counts));
  if (!std::isfinite(evaluation.loss)) {
    QAT_ASSIGN_OR_RETURN(const Batch batch, feed_.Read(std::max<int64_t>(step_ - 1, 0)));
    return WithKept(engine_->NotFinite(
        StrCat("the ", SplitName(), " loss after step ", step_, " is ", evaluation.loss), batch.inputs));
  }
  const std::vector<NamedObserver> observers = deployed->observers();
  QAT_RETURN_IF_ERROR(
      recorder_->LogEvaluation(step_, evaluation, engine_->Quantizing(step_ - 1), observers, counts));
  if (inputs_.only_start) return {};
  QAT_ASSIGN_OR_RETURN(const std::vector<std::string> warnings, recorder_->Watch(answers, observers, counts));
  for (const std::string& warning : warnings) {
    if (inputs_.callbacks.on_warning) inputs_.callbacks.on_warning(warning);
  }
  return {};
}

// Leaves a checkpoint and says where it is.
Error TrainLoop::SaveInterrupted() {
  if (!Writes()) return {ErrorCode::kInterrupted, StrCat("interrupted at step ", step_)};
  Error error = SaveAndSay(StrCat("interrupted at step ", step_));
  if (error.code == ErrorCode::kSystem) error.code = ErrorCode::kInterrupted;
  return error;
}

// The others cannot go on; what was learned up to the last whole step is kept.
Error TrainLoop::EndWithout(const WorkerLost& lost) {
  engine_->UndoStep();
  const std::string what = StrCat(lost.what(), ", at step ", step_);
  return Writes() ? SaveAndSay(what) : SystemError(what);
}

Error TrainLoop::SaveAndSay(const std::string& what) {
  const auto save = [this]() -> Status {
    if (step_ == 0 || CheckpointDue()) return {};
    if (!recorder_->Evaluated(step_)) QAT_RETURN_IF_ERROR(engine_->Deploy(feed_, step_));
    return recorder_->SaveInterrupted(*engine_, step_);
  };
  if (Status saved = save(); !saved.ok()) return std::move(saved).error();
  if (step_ == 0) return SystemError(StrCat(what, "; nothing was learned yet"));
  return SystemError(
      StrCat(what, "; saved as ", CheckpointPath(inputs_.run, step_), ", continue with `resume`"));
}

TrainResult TrainLoop::Result() const {
  TrainResult result;
  result.step = step_;
  result.out_of_patience = out_of_patience_;
  if (!Writes()) return result;
  const Evaluation& last = recorder_->last_evaluation();
  const Merit& best = recorder_->best();
  result.holdout_accuracy = last.accuracy;
  result.best_accuracy = best.value;
  if (inputs_.train.output_count() > 1) {
    result.best_accuracy = std::nan("");
    result.holdout_loss = last.loss;
    result.best_loss = -best.value;
    result.outputs = last.outputs;
  } else if (IsOfNumbers(inputs_.train.task)) {
    result.best_accuracy = std::nan("");
    result.in_deviations = InDeviations();
    result.target_rmse = last.target_rmse;
    result.holdout_rmse = std::sqrt(last.loss);
    result.best_rmse = std::sqrt(std::max(-best.value, 0.0));
  }
  result.best_step = best.step;
  result.taken_step = recorder_->taken_step();
  result.checkpoint = CheckpointPath(inputs_.run, step_);
  return result;
}

}  // namespace qat
