// train_loop.h: one training run: a feed of batches, an engine that learns from them, a recorder of what
// comes of it, and the order in which they take their turns.
#ifndef QAT_TRAIN_TRAIN_LOOP_H_
#define QAT_TRAIN_TRAIN_LOOP_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/expected.h"
#include "data/holdout.h"
#include "spec/schedule.h"
#include "train/data_feed.h"
#include "train/evaluate.h"
#include "train/run_recorder.h"
#include "train/sampler.h"
#include "train/step_engine.h"
#include "train/trainer.h"
#include "train/workers.h"

namespace qat {

/// What a run is made of; checked by Train before. The references outlive the loop.
struct TrainInputs {
  const Graph& network;
  const TrainConfig& config;
  const Dataset& train;
  const Dataset& test;
  const std::string& run;
  const Checkpoint* init;  ///< null: fresh parameters
  const TrainCallbacks& callbacks;
  HoldoutSplit split;                             ///< of `train`
  bool only_start;                                ///< TrainStart::only
  std::vector<std::vector<float>> class_weights;  ///< of TaskLoss, of each output
  Checkpoint header;  ///< the parts of a checkpoint that no step changes: spec, contract, provenance
  const Checkpoint* teacher = nullptr;  ///< TrainStart::teacher
  /// that share the batches; null: none, this process makes whole steps
  std::shared_ptr<Workers> workers = nullptr;
  int threads = 0;  ///< of rank 0 while the others wait for it; 0: as in a step
};

class TrainLoop {
 public:
  /// At step 0, or where `saved` stopped. Errors: kUnsupported (layers), kCorrupt (state), kIoError.
  static Expected<std::unique_ptr<TrainLoop>> Create(TrainInputs inputs,
                                                     const std::optional<SavedRun>& saved);

  /// Trains to the last step. Errors: kNumerical, kIoError, kInterrupted.
  Expected<TrainResult> Run();

 private:
  TrainLoop(TrainInputs inputs, Schedule schedule, HoldoutSplit split);

  /// Targets become outputs as in an earlier contract.
  Status TakeTargets(size_t index, const Checkpoint& before, bool resumed);
  Status StartFromAnswers(size_t index, const OutputContract& output);
  void SayTargets(const OutputContract& output, const std::string& how) const;
  bool InDeviations() const;
  Status Step();
  Status SaveStart();
  Status EvaluateDeployed();
  Status Record();
  bool StopsHere();
  Error SaveInterrupted();
  Error EndWithout(const WorkerLost& lost);
  Error SaveAndSay(const std::string& what);
  Error WithKept(Error error) const;
  Status WarnOfOutcome();
  /// What evaluations look at: the held-out examples, or the test set.
  const Dataset& Watched() const { return split_.holdout.empty() ? inputs_.test : inputs_.train; }
  std::vector<int32_t> WatchedExamples() const;
  TrainResult Result() const;

  /// Rank 0 evaluates, logs and saves for all.
  bool Writes() const { return inputs_.workers == nullptr || inputs_.workers->place().writes(); }
  bool Done() const { return inputs_.only_start || step_ >= schedule_.steps || out_of_patience_; }
  bool CheckpointDue() const { return step_ % schedule_.checkpoint_every == 0 || Done(); }
  bool EvaluationDue() const { return step_ % schedule_.eval_every == 0 || CheckpointDue(); }
  std::string_view SplitName() const { return split_.holdout.empty() ? "test" : "holdout"; }

  TrainInputs inputs_;
  Schedule schedule_;
  HoldoutSplit split_;
  DataFeed feed_;
  std::unique_ptr<StepEngine> engine_;
  std::unique_ptr<RunRecorder> recorder_;  // null: another process writes
  int64_t step_ = 0;                       // updates done
  double step_loss_ = 0;
  bool out_of_patience_ = false;
};

}  // namespace qat

#endif  // QAT_TRAIN_TRAIN_LOOP_H_
