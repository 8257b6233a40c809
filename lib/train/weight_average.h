// weight_average.h: a moving average of the parameters, and the network that is deployed from it.
#ifndef QAT_TRAIN_WEIGHT_AVERAGE_H_
#define QAT_TRAIN_WEIGHT_AVERAGE_H_

#include <span>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "train/optimizer.h"

namespace qat {

/// average += (1 - d) (value - average) with d = min(decay, (1 + t) / (10 + t)) after t updates, so that the
/// first steps do not linger; the first update copies.
class WeightAverage {
 public:
  explicit WeightAverage(double decay) : decay_(decay) {}

  void Update(std::span<const TrainableSpan> parameters);
  const std::vector<std::vector<float>>& values() const { return values_; }

  void Save(std::span<const TrainableSpan> parameters, TrainerState& state) const;
  /// Errors: kCorrupt, naming the tensor.
  Status Load(std::span<const TrainableSpan> parameters, const TrainerState& state);

 private:
  double decay_;
  int64_t updates_ = 0;
  std::vector<std::vector<float>> values_;
};

}  // namespace qat

#endif  // QAT_TRAIN_WEIGHT_AVERAGE_H_
