// batch_statistics.h: the means and variances that a deployed batch normalization normalizes by: learned from
// the batches of training, and compared with fresh ones.
#ifndef QAT_TRAIN_BATCH_STATISTICS_H_
#define QAT_TRAIN_BATCH_STATISTICS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace qat {

/// Moving averages over batches, one value per channel. After t batches the next one gets the share
///   1 - min(momentum, t / (t + 9)),
/// so the first batch counts fully (no initial value is left in the averages), the averages then reach back
/// over about a ninth of the run so far (early batches, seen under weights that are long gone, are forgotten
/// in short runs too), and from t = 9 momentum / (1 - momentum) on this is the usual moving average: 891
/// batches with momentum 0.99.
/// Before the first batch: mean 0 and variance 1, which change nothing.
/// Source    the growing decay of tf.train.ExponentialMovingAverage(num_updates), (1 + t) / (10 + t), one
/// step later.
class BatchStatistics {
 public:
  BatchStatistics(int64_t channels, double momentum);

  const at::Tensor& mean() const { return mean_; }
  const at::Tensor& variance() const { return variance_; }

  double NextShare() const;
  /// Takes in one batch; `variance` is the unbiased one.
  void Learn(const at::Tensor& mean, const at::Tensor& variance);
  /// Counts a batch that an operator of LibTorch has taken in with NextShare as its momentum.
  void CountBatch() { ++batches_; }

  /// Batches learned so far: what resuming needs besides the averages.
  int64_t batches() const { return batches_; }
  void set_batches(int64_t batches) { batches_ = batches; }

  /// Fresh statistics beside the averages: the plain mean over the batches noted since.
  void StartNoting();
  void Note(const at::Tensor& mean, const at::Tensor& variance);
  /// How far the averages are from the fresh statistics, in deviations of the normalized values: with
  ///   m = (fresh mean - mean) / sqrt(variance + epsilon),
  ///   d = sqrt((fresh variance + epsilon) / (variance + epsilon)) - 1
  /// (what is left of the mean, and what the deviation exceeds 1 by, after normalizing by the averages)
  ///   gap = sqrt(mean over channels of m^2 + d^2).
  /// Requires a batch noted.
  double Gap(double epsilon) const;
  /// The averages become the fresh statistics. Requires a batch noted.
  void TakeNoted();

 private:
  at::Tensor mean_, variance_;
  double momentum_;
  int64_t batches_ = 0;
  at::Tensor noted_mean_, noted_variance_;
  int64_t noted_ = 0;
};

/// Batches that the averages of another run count as where a run starts from them: enough that the first
/// batches do not make them noisy, few enough that 20 batches later 4 % of them are left (the product of k /
/// (k + 9)).
inline constexpr int64_t kInheritedBatches = 45;

}  // namespace qat

#endif  // QAT_TRAIN_BATCH_STATISTICS_H_
