// divergence.h: whether a run has left everything that training can come back from. No LibTorch here.
#ifndef QAT_TRAIN_DIVERGENCE_H_
#define QAT_TRAIN_DIVERGENCE_H_

#include <cstdint>
#include <optional>

#include "checkpoint/checkpoint.h"

namespace qat {

/// Watches the training loss in windows of a twentieth of the run, at least 10 steps. A run diverges where
/// the mean loss of two windows in a row is over 5 times that of a network that knows nothing, and has not
/// halved from one to the other.
/// A rate that is too high for the first steps gives peaks of a few steps, and quantization that starts may
/// double the loss:
/// neither counts. Measured: Adam at 100 instead of 0.002 on two classes stays at 7 to 50 times that loss
/// with batch norm, SGD at 10 reaches 10^24.
class DivergenceWatch {
 public:
  explicit DivergenceWatch(int64_t steps);

  /// The loss of the next step. `chance`: of a network that answers without looking, in the same unit; the
  /// first step's loss takes its place where it is larger (inputs that were not normalized).
  void Add(double loss, double chance);

  struct Finding {
    double loss = 0;     ///< mean of the last window
    double chance = 0;   ///< of a network that knows nothing
    int64_t window = 0;  ///< steps
  };
  /// After a window. At the end of a run, with `ended`: also where the last steps alone, at least three, show
  /// it.
  std::optional<Finding> Diverged(bool ended) const;

  void Save(TrainerState& state) const;
  /// A state from before losses were watched begins anew.
  void Load(const TrainerState& state);

 private:
  int64_t window_;
  double reference_ = 0;  // 0: no step yet
  double sum_ = 0;        // of the losses of the current window
  int64_t count_ = 0;
  double last_ = 0, before_last_ = 0;  // means of the last two whole windows
};

}  // namespace qat

#endif  // QAT_TRAIN_DIVERGENCE_H_
