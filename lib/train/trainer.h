// trainer.h: trains a network with fake quantization. The one door into LibTorch for qat-train; no header
// here shows it.
#ifndef QAT_TRAIN_TRAINER_H_
#define QAT_TRAIN_TRAINER_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.h"
#include "checkpoint/checkpoint.h"
#include "checkpoint/merit.h"
#include "data/dataset.h"
#include "data/holdout.h"
#include "spec/network_spec.h"
#include "spec/train_config.h"
#include "train/workers.h"

namespace qat {

/// How far a run is; called after every step, cheap work only.
struct TrainProgress {
  int64_t step = 0;
  int64_t steps = 0;
  double loss = 0;
  double training_accuracy = 0;  ///< percentage over the steps since the last log line; NaN of real numbers
  bool evaluated = false;        ///< the next two are known
  double holdout_accuracy = 0;   ///< of the last evaluation; percentage; NaN of real numbers
  double holdout_loss = 0;       ///< mean squared error of real numbers
  bool several_outputs = false;  ///< losses are the weighted sum of theirs, and accuracies NaN
  bool in_deviations = false;    ///< of real numbers: losses are those of TaskLoss::InDeviations
};

struct TrainCallbacks {
  std::function<void(const TrainProgress&)> on_step;
  /// Polled every step; true: save a checkpoint now and return kInterrupted naming it.
  std::function<bool()> interrupted;
  /// Sentences on what is wrong but stops nothing: data that teach nothing, a checkpoint that could not be
  /// resumed, answers that are worth nothing at the end.
  std::function<void(const std::string&)> on_warning = {};
  /// A sentence on what was done unasked: what a run with another head took over.
  std::function<void(const std::string&)> on_note = {};
  /// Told before the first step, where nothing is wrong with the inputs, what is held out.
  std::function<void(const HoldoutSplit& split)> on_start = {};
};

struct TrainResult {
  int64_t step = 0;
  double holdout_accuracy = 0;  ///< of the last evaluation; percentage; NaN: none, or labels are real numbers
  double best_accuracy = 0;
  double holdout_rmse =
      std::numeric_limits<double>::quiet_NaN();  ///< where labels are real numbers; else NaN
  double best_rmse = std::numeric_limits<double>::quiet_NaN();
  bool in_deviations = false;            ///< these two are of several numbers, each in deviations of it
  std::vector<double> target_rmse = {};  ///< Evaluation::target_rmse of the last evaluation
  /// Of several outputs: the weighted sum of their losses, and what each is worth; else NaN and none.
  double holdout_loss = std::numeric_limits<double>::quiet_NaN();
  double best_loss = std::numeric_limits<double>::quiet_NaN();
  std::vector<OutputEvaluation> outputs = {};
  int64_t best_step = 0;
  int64_t taken_step = 0;        ///< the checkpoint that the other programs take by default
  bool out_of_patience = false;  ///< ended before the recipe's last step
  double seconds = 0;
  std::string checkpoint;  ///< path of the last one
};

/// Where a run starts.
struct TrainStart {
  bool resume = false;  ///< at the last complete checkpoint of the run, if there is one
  /// else with the layers of this one that fit, and their ranges: fine-tuning; of a weights file with
  /// "weights_sha256"
  const Checkpoint* init = nullptr;
  /// no step is taken: the checkpoint of step 0 is the run. Requires scheme float32
  bool only = false;
  /// among the processes that train together; only rank 0 writes and calls back
  WorkerPlace place = {};
  /// That the network learns from beside the labels, by the recipe's weight and temperature; where a run is
  /// resumed, the same again.
  const Checkpoint* teacher = nullptr;
};

/// Whether the network can learn from both splits. Errors: kInvalidArgument: shapes, classes, what the last
/// layer needs.
Status CheckFits(const Graph& network, const Dataset& train, const Dataset& test);

/// Trains from step 0, or resumes from the last complete checkpoint in `run`, to the same bytes as a run
/// never stopped. Writes RUN/config.toml, checkpoints/, metrics.ndjson, events/.
/// Several processes compute a share of every batch each; the recipe is that of rank 0, network and data have
/// to be the same.
/// Errors: kInvalidArgument (shapes of data and network; what differs between processes), kSystem (a process
/// was lost; rank 0 leaves a checkpoint of the last whole step), kNumerical (the loss is not finite, or far
/// above an untrained network's), kCorrupt (no checkpoint of a run to resume is whole), kIoError,
/// kInterrupted.
Expected<TrainResult> Train(const Graph& network, const TrainConfig& config, const Dataset& train,
                            const Dataset& test, const std::string& run, TrainStart start,
                            const TrainCallbacks& callbacks);

}  // namespace qat

#endif  // QAT_TRAIN_TRAINER_H_
