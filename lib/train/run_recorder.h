// run_recorder.h: what a run leaves on disk: its log, curves, checkpoints and the state that resuming needs;
// and which checkpoint is the best.
#ifndef QAT_TRAIN_RUN_RECORDER_H_
#define QAT_TRAIN_RUN_RECORDER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/merit.h"
#include "spec/schedule.h"
#include "spec/train_config.h"
#include "train/evaluate.h"
#include "train/loss.h"
#include "train/metrics_log.h"
#include "train/run_store.h"
#include "train/run_watch.h"
#include "train/step_engine.h"

namespace qat {

class RunRecorder {
 public:
  /// What no step changes.
  struct Run {
    std::string directory;
    std::string_view split;  ///< what evaluations look at: "holdout" or "test"
    bool classes = true;     ///< false: the labels are real numbers, or those of several outputs
    Checkpoint header;       ///< spec, contract, provenance
    int64_t examples = 0;    ///< that evaluations look at
  };

  /// At step 0, or as `saved` left it: the log is cut to what that knew. Errors: kCorrupt, kIoError.
  static Expected<std::unique_ptr<RunRecorder>> Open(Run run, const Schedule& schedule,
                                                     const TrainConfig& config,
                                                     const std::optional<SavedRun>& saved);

  /// Counts a step for the next line of the log.
  void Count(const LossResult& result);
  /// Percentage since the last line of the log; NaN of real numbers, 0 where nothing has been counted.
  double TrainingAccuracy() const;

  Status LogQuantize(int64_t step) { return log_->WriteQuantize(step); }
  Status LogFreezeBatchNorm(int64_t step) { return log_->WriteFreezeBatchNorm(step); }
  Status LogTraining(int64_t step, double learning_rate, double gradient_norm);
  /// `quantized`: with fake quantization, as Merit has it.
  Status LogEvaluation(int64_t step, const Evaluation& evaluation, bool quantized,
                       const std::vector<NamedObserver>& observers, const OutputCounts& counts);
  /// What is wrong with the run as this evaluation sees it; logged, too. After LogEvaluation.
  Expected<std::vector<std::string>> Watch(const Answers& answers,
                                           const std::vector<NamedObserver>& observers,
                                           const OutputCounts& counts);
  /// So many evaluations in a row were no progress: the recipe's patience is over. Progress is an evaluation
  /// that is better than those before beyond chance, or that chance cannot tell from them and whose loss is 1
  /// % lower. A lucky accuracy on few examples thus ends no run that still learns.
  bool OutOfPatience() const { return patience_ > 0 && waited_ >= patience_; }
  bool Evaluated(int64_t step) const { return evaluated_step_ == step; }
  bool HasEvaluated() const { return evaluated_step_ >= 0; }
  const Evaluation& last_evaluation() const { return last_evaluation_; }

  /// A checkpoint of the schedule, which has just been evaluated; older ones go as IsKept says.
  Status SaveScheduled(StepEngine& engine, int64_t step);
  /// Nothing of it is in the log, and the next scheduled checkpoint removes it.
  Status SaveInterrupted(StepEngine& engine, int64_t step);
  Status End(int64_t step);

  const Merit& best() const { return best_; }
  /// The checkpoint that the other programs take by default: ChooseCheckpoint.
  int64_t taken_step() const;
  const std::string& directory() const { return run_.directory; }

 private:
  RunRecorder(Run run, const Schedule& schedule, const TrainConfig& config);

  Status Save(StepEngine& engine, int64_t step);
  Merit LastMerit() const;
  Checkpoint MakeCheckpoint(StepEngine& engine, int64_t step) const;
  TrainerState MakeState(const StepEngine& engine, int64_t step, int64_t metrics_size) const;
  Status Restore(const TrainerState& state);

  Run run_;
  Schedule schedule_;
  std::unique_ptr<MetricsLog> log_;
  double loss_sum_ = 0;  // since the last line of the log, as are the next two
  int64_t correct_ = 0;
  int64_t seen_ = 0;
  Evaluation last_evaluation_;
  bool last_quantized_ = false;
  int64_t evaluated_step_ = -1;
  Merit best_;  // of the checkpoints
  int64_t patience_;
  bool waits_quantized_;  // evaluations before fake quantization say nothing on when to stop
  int64_t waited_ = 0;    // evaluations since that
  Merit progress_;        // the last evaluation that was progress
  RunWatch watch_;
};

}  // namespace qat

#endif  // QAT_TRAIN_RUN_RECORDER_H_
