// train_loop.h: one training run in memory: its network, optimizer, observers, and what becomes of them step
// by step.
#ifndef QAT_TRAIN_TRAIN_LOOP_H_
#define QAT_TRAIN_TRAIN_LOOP_H_

#include <ATen/core/Tensor.h>

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/expected.h"
#include "train/evaluate.h"
#include "train/loss.h"
#include "train/metrics_log.h"
#include "train/network.h"
#include "train/optimizer.h"
#include "train/range_history.h"
#include "train/run_store.h"
#include "train/sampler.h"
#include "train/schedule.h"
#include "train/trainer.h"
#include "train/weight_average.h"

namespace qat {

/// What a run is made of; checked by Train before. The references outlive the loop.
struct TrainInputs {
  const NetworkSpec& spec;
  const TrainConfig& config;
  const Dataset& train;
  const Dataset& test;
  const std::string& run;
  const Checkpoint* init;  ///< null: fresh parameters
  const TrainCallbacks& callbacks;
  Checkpoint header;  ///< the parts of a checkpoint that no step changes: spec, contract, provenance
};

class TrainLoop {
 public:
  /// At step 0, or where `saved` stopped. Errors: kUnsupported (layers), kCorrupt (state), kIoError.
  static Expected<std::unique_ptr<TrainLoop>> Create(TrainInputs inputs,
                                                     const std::optional<SavedRun>& saved);

  /// Trains to the last step. Errors: kNumerical, kIoError, kInterrupted.
  Expected<TrainResult> Run();

 private:
  /// How good a checkpoint is: one measured with fake quantization comes before any other.
  struct Merit {
    bool quantized = false;
    double value = -std::numeric_limits<double>::infinity();  // Evaluation::Merit
    int64_t step = 0;
  };

  TrainLoop(TrainInputs inputs, Schedule schedule, HoldoutSplit split);

  Status Step();
  struct Batch {
    at::Tensor images;
    std::vector<int32_t> labels;
    std::vector<float> numbers;  // instead of labels
  };
  Expected<Batch> ReadBatch(int64_t step);
  Status BackPropagate(const Batch& batch);
  LossResult LossOf(const Batch& batch, const at::Tensor& outputs, at::Tensor& gradient) const;
  double TrainingAccuracy() const;  // since the last log line; NaN of real numbers
  Status LogStep();
  Status EvaluateDeployed();
  Status SaveScheduled();
  Status SaveInterrupted();
  Error NotFinite(std::string_view what, const at::Tensor& images);

  bool Quantizing(int64_t step) const { return step >= schedule_.quant_delay; }
  bool CheckpointDue() const { return step_ % schedule_.checkpoint_every == 0 || step_ == schedule_.steps; }
  bool EvaluationDue() const { return step_ % schedule_.eval_every == 0 || CheckpointDue(); }

  /// The network as it would be deployed now: itself, or the averaged weights with ranges of their own.
  Network& Deployed();
  Status EstimateAveraged();
  std::string_view SplitName() const { return split_.holdout.empty() ? "test" : "holdout"; }

  Checkpoint MakeCheckpoint();
  TrainerState MakeState(int64_t metrics_size);
  Status Restore(const TrainerState& state);

  TrainInputs inputs_;
  Schedule schedule_;
  HoldoutSplit split_;
  RealTable table_;
  Sampler sampler_;
  RangeHistory history_;
  std::unique_ptr<Network> network_;
  std::vector<Parameter> parameters_;
  std::vector<NamedObserver> observers_;
  std::vector<TrainableSpan> spans_;
  std::unique_ptr<Optimizer> optimizer_;
  std::optional<WeightAverage> average_;
  std::unique_ptr<Network> averaged_;
  std::unique_ptr<MetricsLog> log_;

  int64_t step_ = 0;  // updates done
  double step_loss_ = 0;
  double loss_sum_ = 0;  // since the last log line, as are the next two
  int64_t correct_ = 0;
  int64_t seen_ = 0;
  Evaluation last_evaluation_;
  int64_t evaluated_step_ = -1;
  Merit best_;
};

}  // namespace qat

#endif  // QAT_TRAIN_TRAIN_LOOP_H_
