// step_engine.h: what a step computes with and changes: network, loss, gradients, optimizer, ranges, averaged
// weights. On this machine's processor, with LibTorch.
#ifndef QAT_TRAIN_STEP_ENGINE_H_
#define QAT_TRAIN_STEP_ENGINE_H_

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "checkpoint/checkpoint.h"
#include "contract/contract.h"
#include "data/statistics.h"
#include "ir/graph.h"
#include "spec/schedule.h"
#include "spec/train_config.h"
#include "train/data_feed.h"
#include "train/divergence.h"
#include "train/loss.h"
#include "train/network.h"
#include "train/optimizer.h"
#include "train/range_history.h"
#include "train/task_loss.h"
#include "train/teacher.h"
#include "train/weight_average.h"
#include "train/workers.h"

namespace qat {

class StepEngine {
 public:
  /// At step 0, with fresh parameters or those of `init` (null: none). `config` outlives the engine. The loss
  /// is that of the contract's output; of several the sum, each times its weight in `config`, numbers as
  /// their normalized form.
  /// Errors: kUnsupported (layers); an `init` of which no layer fits, as "`init`: …".
  static Expected<std::unique_ptr<StepEngine>> Create(const Graph& graph, const TrainConfig& config,
                                                      const Schedule& schedule, const Contract& contract,
                                                      const Checkpoint* init);

  /// Of real numbers that a last layer taken over from `init` gives as they are: they are learned as their
  /// normalized form would be, the learning rate in units of their deviations, and each target counts alike.
  /// For a last layer with a filter, a bias and no activation; others stay.
  void LearnInUnits(size_t output, const std::vector<double>& deviations);

  /// The same, better: the last layer is scaled so that its outputs, restored as `contract` says, are what
  /// they were. False where it has no filter and bias of its own, or an activation, or is read by more than
  /// one: nothing has changed then.
  bool NormalizeOutput(size_t output, const OutputContract& contract);

  /// How far answers of real numbers are from what they should be, root mean square, in deviations of the
  /// targets: 1 for a network that answers their mean. Requires an output that is normalized.
  double DeviationsOff(size_t output, const Batch& batch);
  /// Draws the last layer of an output anew: it answers about the mean of the targets. Requires that
  /// NormalizeOutput gave true.
  void StartOutput(size_t output, const Batch& batch);

  void SetOutput(size_t output, const OutputContract& contract) { losses_[output].output = contract; }
  /// Weights of TaskLoss, one list for each output.
  void SetWeights(std::vector<std::vector<float>> weights);

  /// What was taken over from `init`; empty without one.
  const std::optional<Inherited>& inherited() const { return inherited_; }
  /// Names of the layers that stay as they are.
  const std::vector<std::string>& held() const { return held_; }

  /// From here on the loss is in part the divergence from what this one answers. Requires one output of
  /// classes. Errors: those of Teacher::Load.
  Status LearnFrom(const Checkpoint& teacher);

  /// From here on steps are made together with other processes, from the parameters of rank 0. Throws
  /// WorkerLost, as Step and FreezeStatistics do then. `workers` outlives the engine.
  void ShareBatches(Workers& workers);
  /// After WorkerLost of a step: as before that step.
  void UndoStep();

  /// Forward, loss, backward, update: step `step`, counted from 0. Errors: kNumerical, naming the first layer
  /// with values that are not finite, or the one that has grown most where the run diverges.
  Expected<LossResult> Step(const Batch& batch, int64_t step);

  /// NormOfGradients of the last step, before they were clipped.
  double GradientNorm() const;

  /// Whether fake quantization is on in a step.
  bool Quantizing(int64_t step) const { return step >= schedule_.quant_delay; }

  /// The network as it would be deployed after `steps` updates: itself, or the averaged weights, whose ranges
  /// are found again on the latest batches. While batch norms learn, both are given the statistics of the
  /// latest batches under the weights as they are, until the next step; how far these are from those of
  /// further batches is measured. Errors: the feed's.
  Expected<Network*> Deploy(DataFeed& feed, int64_t steps);

  /// Whether batch norms keep their statistics from this step on; FreezeStatistics then finds them, as Deploy
  /// does, for good.
  bool FreezesStatistics(int64_t step) const { return step == schedule_.freeze_batch_norm_at; }
  Status FreezeStatistics(DataFeed& feed, int64_t steps);
  bool HasBatchNorms() const { return !network_->batch_norms().empty(); }

  /// What Deploy has made last, with the drift of each range. Requires a Deploy after the last step.
  void Save(Checkpoint& checkpoint);
  /// Everything that later steps depend on.
  void Save(TrainerState& state) const;
  /// Errors: kCorrupt, naming the tensor or number.
  Status Load(const TrainerState& state);

  /// Why training cannot go on: `what`, then the layer that has values that are not finite.
  Error NotFinite(std::string_view what, const std::vector<at::Tensor>& inputs);

 private:
  StepEngine(const TrainConfig& config, Schedule schedule);

  Network& Deployed() { return average_ ? *averaged_ : *network_; }
  struct LastLayer {
    TrainableSpan *filter, *bias;
  };
  std::optional<LastLayer> PlainLastLayer(size_t output);
  /// In TFLite's order of axes, as in evaluation.
  std::vector<float> AnswersTo(const Batch& batch, size_t output);
  void SumGradients();
  void Broadcast();
  void NoteBefore();
  LossResult LossOf(size_t output, Wanted wanted, const at::Tensor& outputs, at::Tensor& gradient) const;
  LossResult SumOf(const std::vector<LossResult>& results) const;
  void SumLosses(std::vector<LossResult>& results, std::vector<at::Tensor>& gradients);
  static void MixLosses(double own_part, std::vector<LossResult>& results,
                        std::vector<at::Tensor>& gradients);
  double ChanceOf(const Batch& batch);
  uint64_t DropoutKey(int64_t step) const;
  Expected<LossResult> BackPropagate(const Batch& batch, int64_t step);
  void BackPropagate(const std::vector<at::Tensor>& outputs, const std::vector<at::Tensor>& gradients) const;
  void TakeGradients();
  void ClipGradients();
  void MeasureRanges(int64_t step);
  void ReturnStatistics();
  Status ObserveFilters(DataFeed& feed, int64_t steps);
  RangeObserver::State LearnedRange(size_t observer) const;
  Status CheckLoss(const Batch& batch, double loss, int64_t step);
  Status DeployAverage(DataFeed& feed, int64_t steps);
  Status EstimateStatistics(Network& network, DataFeed& feed, int64_t steps);
  Status NoteStatistics(Network& network, DataFeed& feed, int64_t first, int64_t end);

  const TrainConfig& config_;
  Schedule schedule_;
  std::vector<TaskLoss> losses_;        // of each output
  std::vector<double> output_weights_;  // of their losses
  std::unique_ptr<Teacher> teacher_;    // null: none
  std::vector<float> taught_;           // what it answers to the batch of the last step
  RangeHistory history_;
  bool ranges_cover_ = false;  // what was seen lately, not its average (RangeObserver)
  std::unique_ptr<Network> network_;
  std::vector<Parameter> parameters_;
  std::vector<NamedObserver> observers_;
  std::vector<TrainableSpan> spans_;
  std::vector<std::vector<float>> target_units_;  // of each output; empty: 1
  double norm_before_clipping_ = 0;               // of the last step, where gradients are clipped
  std::unique_ptr<Optimizer> optimizer_;
  std::optional<WeightAverage> average_;
  std::unique_ptr<Network> averaged_;
  std::optional<Inherited> inherited_;
  std::vector<std::string> held_;
  DivergenceWatch watch_;
  // Moving averages and ranges that Deploy has put fresh ones in the place of; empty: it has not.
  std::map<std::string, at::Tensor> learned_;
  std::vector<RangeObserver::State> learned_ranges_;
  Workers* workers_ = nullptr;  // null: alone
  // What a step changes before the update; of the last one.
  std::vector<at::Tensor> averages_before_;
  std::vector<RangeObserver::State> ranges_before_;
  std::vector<int64_t> batches_before_;
  std::map<std::string, double> gaps_;  // Checkpoint::batch_norm_gaps
};

}  // namespace qat

#endif  // QAT_TRAIN_STEP_ENGINE_H_
