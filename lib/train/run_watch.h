// run_watch.h: what goes wrong while a run goes on, told in plain sentences, each kind once. No LibTorch
// here.
#ifndef QAT_TRAIN_RUN_WATCH_H_
#define QAT_TRAIN_RUN_WATCH_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "quant/params.h"
#include "report/report.h"
#include "report/run_record.h"
#include "spec/schedule.h"

namespace qat {

/// Looks at every evaluation for four faults:
///   a dead layer        its output is the same for all examples, in two evaluations in a row or in the last
///                       one. One evaluation alone may fall on a moment in which a range has just collapsed
///                       and comes back;
///   answers at chance   after a third of the run (IsAtChance, at 95 %): warm-up and the plateau of a deep
///                       network are over by then. Neither this nor the next is
///                       told where a dead layer explains it;
///   a range runs away   JudgeRange: kRunawayGrowth;
///   a rising loss       for a quarter of the run, in which every example was seen twice, every evaluation
///                       was above the least one, the last two by half, while the training loss fell. The
///                       rise is more than a twentieth of the first training loss, since a loss near 0
///                       doubles by a single example, and more than the error of a mean over so few
///                       examples. Measured: at the end of runs of LeNet on MNIST and of digits the loss is
///                       at most 1.01 times its least value.
class RunWatch {
 public:
  /// `where`: what evaluations look at: "holdout" or "test".
  RunWatch(const Schedule& schedule, std::string_view where);

  /// The training loss of the next step.
  void Count(double loss);

  /// An evaluation.
  struct Seen {
    int64_t step = 0;
    bool quantized = false;  ///< with fake quantization
    double loss = 0;
    std::string constant;                 ///< first layer with the same output for all examples; empty: none
    std::vector<ClassCount> counts = {};  ///< answers by class; empty: of real numbers
    int64_t examples = 0;
    std::map<std::string, Range> ranges = {};
    bool several = false;  ///< the loss is that of several outputs, `counts` are of the first
  };
  std::vector<std::string> Look(const Seen& seen);

  void Save(TrainerState& state) const;
  /// A state from before runs were watched begins anew.
  void Load(const TrainerState& state);

 private:
  std::string DeadLayer(const Seen& seen);
  std::string AtChance(const Seen& seen) const;
  std::string Runaway(const Seen& seen);
  std::string RisingLoss(const Seen& seen, double training_loss);

  int64_t steps_, quant_delay_;
  double steps_per_epoch_;
  std::string where_;
  double first_loss_ = 0;                       // of the first step; 0: there was none
  double loss_sum_ = 0, loss_count_ = 0;        // since the last evaluation
  bool was_dead_ = false, was_rising_ = false;  // in the last evaluation
  bool least_quantized_ = false;
  int64_t least_step_ =
      -1;  // of the evaluation with the least loss, among those with or without fake quantization
  double least_loss_ = 0, least_training_ = 0;
  std::map<std::string, RangeCurve> ranges_;  // of the last quarter of the run
  bool told_dead_ = false, told_chance_ = false, told_runaway_ = false, told_rising_ = false;
};

}  // namespace qat

#endif  // QAT_TRAIN_RUN_WATCH_H_
