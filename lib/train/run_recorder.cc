#include "train/run_recorder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/strings.h"

namespace qat {
namespace {

void SaveMerit(const Merit& merit, const std::string& name, TrainerState& state) {
  state.scalars[name + "/quantized"] = merit.quantized ? 1 : 0;
  state.scalars[name + "/accuracy"] = merit.value;
  state.scalars[name + "/loss"] = merit.loss;
  state.scalars[name + "/standard_error"] = merit.standard_error;
  state.scalars[name + "/step"] = static_cast<double>(merit.step);
}

// A loss falls by less than this for ever, while nothing is gained any more.
constexpr double kLeastLossFall = 0.01;

bool IsProgress(const Merit& now, const Merit& before) {
  if (IsBetterBeyondChance(now, before)) return true;
  return now.loss < (1 - kLeastLossFall) * before.loss && !IsBetterBeyondChance(before, now);
}

}  // namespace

RunRecorder::RunRecorder(Run run, const Schedule& schedule, const TrainConfig& config)
    : run_(std::move(run)),
      schedule_(schedule),
      patience_(config.patience),
      waits_quantized_(config.scheme != "float32"),
      watch_(schedule, run_.split) {}

Expected<std::unique_ptr<RunRecorder>> RunRecorder::Open(Run run, const Schedule& schedule,
                                                         const TrainConfig& config,
                                                         const std::optional<SavedRun>& saved) {
  std::unique_ptr<RunRecorder> recorder(new RunRecorder(std::move(run), schedule, config));
  const std::string& directory = recorder->run_.directory;
  int64_t size = 0, step = 0;
  if (saved) {
    step = saved->state.step;
    QAT_RETURN_IF_ERROR_IN(TrainerStatePath(directory, step), recorder->Restore(saved->state));
    size = static_cast<int64_t>(saved->state.scalars.at("metrics_size"));
  }
  QAT_ASSIGN_OR_RETURN(recorder->log_, MetricsLog::Open(directory, size, step));
  if (size == 0) {
    QAT_RETURN_IF_ERROR(
        recorder->log_->WriteStart({schedule.steps, schedule.quant_delay, config.batch_size, config.scheme}));
  }
  return recorder;
}

void RunRecorder::Count(const LossResult& result) {
  loss_sum_ += result.loss * static_cast<double>(result.counted);
  correct_ += result.correct;
  seen_ += result.counted;
  watch_.Count(result.loss);
}

double RunRecorder::TrainingAccuracy() const {
  if (!run_.classes) return std::nan("");
  return seen_ > 0 ? 100.0 * static_cast<double>(correct_) / static_cast<double>(seen_) : 0;
}

Status RunRecorder::LogTraining(int64_t step, double learning_rate, double gradient_norm) {
  const double loss = loss_sum_ / static_cast<double>(std::max<int64_t>(seen_, 1));
  const double accuracy = TrainingAccuracy();
  loss_sum_ = 0;
  correct_ = 0;
  seen_ = 0;
  return log_->WriteTrain(step, loss, accuracy, learning_rate, gradient_norm);
}

Status RunRecorder::LogEvaluation(int64_t step, const Evaluation& evaluation, bool quantized,
                                  const std::vector<NamedObserver>& observers, const OutputCounts& counts) {
  last_evaluation_ = evaluation;
  last_quantized_ = quantized;
  evaluated_step_ = step;
  if (quantized == waits_quantized_) {
    const Merit merit = LastMerit();
    const bool progress = IsProgress(merit, progress_);
    waited_ = progress ? 0 : waited_ + 1;
    if (progress) progress_ = merit;
  }
  QAT_RETURN_IF_ERROR(log_->WriteEval(step, run_.split, evaluation));
  for (const NamedObserver& each : observers) {
    if (each.observer->empty()) continue;
    QAT_RETURN_IF_ERROR(
        log_->WriteRange(step, each.name, each.observer->range(), counts.ClippedShare(each.name)));
  }
  return {};
}

Expected<std::vector<std::string>> RunRecorder::Watch(const Answers& answers,
                                                      const std::vector<NamedObserver>& observers,
                                                      const OutputCounts& counts) {
  RunWatch::Seen seen = {evaluated_step_,        last_quantized_,          last_evaluation_.loss,
                         counts.FirstConstant(), answers.classes.counts(), run_.examples};
  for (const NamedObserver& each : observers) {
    if (!each.observer->empty()) seen.ranges[each.name] = each.observer->range();
  }
  seen.several = !answers.others.empty();
  std::vector<std::string> warnings = watch_.Look(seen);
  for (const std::string& warning : warnings)
    QAT_RETURN_IF_ERROR(log_->WriteWarning(evaluated_step_, warning));
  return warnings;
}

Status RunRecorder::SaveScheduled(StepEngine& engine, int64_t step) {
  if (const Merit merit = LastMerit(); RanksBefore(merit, best_)) best_ = merit;
  QAT_RETURN_IF_ERROR(log_->WriteCheckpoint(step));
  QAT_RETURN_IF_ERROR(Save(engine, step));
  return PruneRun(run_.directory, schedule_, step, best_.step);
}

Merit RunRecorder::LastMerit() const {
  return MeritOf(MetricsOf(last_evaluation_, last_quantized_, run_.split), run_.split, evaluated_step_);
}

int64_t RunRecorder::taken_step() const {
  // Without held-out examples, nothing is chosen.
  return run_.split == "test" ? evaluated_step_ : TakenOf(best_, LastMerit()).step;
}

Status RunRecorder::SaveInterrupted(StepEngine& engine, int64_t step) { return Save(engine, step); }

Status RunRecorder::End(int64_t step) {
  QAT_RETURN_IF_ERROR(PruneRun(run_.directory, schedule_, step, best_.step));
  QAT_RETURN_IF_ERROR(log_->WriteEnd(step, best_.step, run_.classes ? best_.value : std::nan("")));
  QAT_RETURN_IF_ERROR(log_->Sync());
  return {};
}

Status RunRecorder::Save(StepEngine& engine, int64_t step) {
  QAT_ASSIGN_OR_RETURN(const int64_t size, log_->Sync());
  return SaveRun(run_.directory, MakeCheckpoint(engine, step), MakeState(engine, step, size));
}

Checkpoint RunRecorder::MakeCheckpoint(StepEngine& engine, int64_t step) const {
  Checkpoint checkpoint = run_.header;
  checkpoint.step = step;
  engine.Save(checkpoint);
  if (!Evaluated(step)) return checkpoint;
  checkpoint.metrics = MetricsOf(last_evaluation_, last_quantized_, run_.split);
  return checkpoint;
}

TrainerState RunRecorder::MakeState(const StepEngine& engine, int64_t step, int64_t metrics_size) const {
  TrainerState state;
  state.step = step;
  state.scalars = {{"metrics_size", static_cast<double>(metrics_size)},
                   {"loss_sum", loss_sum_},
                   {"correct", static_cast<double>(correct_)},
                   {"seen", static_cast<double>(seen_)},
                   {"last_accuracy", last_evaluation_.accuracy},
                   {"last_loss", last_evaluation_.loss},
                   {"last_standard_error", last_evaluation_.standard_error},
                   {"last_quantized", last_quantized_ ? 1 : 0},
                   {"evaluated_step", static_cast<double>(evaluated_step_)}};
  SaveMerit(best_, "best", state);
  if (patience_ > 0) {
    state.scalars["patience/waited"] = static_cast<double>(waited_);
    SaveMerit(progress_, "patience", state);
  }
  watch_.Save(state);
  engine.Save(state);
  return state;
}

Status RunRecorder::Restore(const TrainerState& state) {
  std::string missing;
  const auto number = [&](const char* name) {
    const auto found = NumberOf(state, name);
    if (!found.ok()) missing = name;
    return found.ok() ? *found : 0.0;
  };
  number("metrics_size");
  loss_sum_ = number("loss_sum");
  correct_ = static_cast<int64_t>(number("correct"));
  seen_ = static_cast<int64_t>(number("seen"));
  // What runs from before did not record yet.
  const auto number_or = [&](const std::string& name, double otherwise) {
    const auto found = state.scalars.find(name);
    return found == state.scalars.end() ? otherwise : found->second;
  };
  const auto merit = [&](const std::string& name, const std::string& value) {
    return Merit{number_or(name + "/quantized", waits_quantized_) != 0, number(value.c_str()),
                 // Of equals, the earliest stays.
                 number_or(name + "/loss", -std::numeric_limits<double>::infinity()),
                 number_or(name + "/standard_error", 0), static_cast<int64_t>(number_or(name + "/step", 0))};
  };
  last_evaluation_ = {number("last_accuracy"), number("last_loss"), number_or("last_standard_error", 0)};
  evaluated_step_ = static_cast<int64_t>(number("evaluated_step"));
  best_ = merit("best", "best/accuracy");
  last_quantized_ = number_or("last_quantized", best_.quantized) != 0;
  if (patience_ > 0) {
    waited_ = static_cast<int64_t>(number("patience/waited"));
    progress_ =
        merit("patience", state.scalars.contains("patience/best") ? "patience/best" : "patience/accuracy");
  }
  watch_.Load(state);
  if (!missing.empty()) return Corrupt(StrCat("number '", missing, "' is missing"));
  return {};
}

}  // namespace qat
