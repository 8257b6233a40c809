// across_workers.h: what a batch looks like as a whole where each process of a run has a share of it.
#ifndef QAT_TRAIN_ACROSS_WORKERS_H_
#define QAT_TRAIN_ACROSS_WORKERS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "train/fake_quantize.h"
#include "train/workers.h"

namespace qat {

/// The processes that share a batch; null: this one has all of it.
struct BatchSharing {
  Workers* workers = nullptr;
  double share = 1;   ///< of the batch's examples that this process has
  int64_t first = 0;  ///< examples of the batch before them
};

/// The range over the shares of all processes; not finite where one of them is not.
MeasuredRange RangeAcross(MeasuredRange here, const BatchSharing& sharing);

/// Mean and biased variance of each channel of [N, C, …] over the whole batch, with gradients: a gradient
/// that reaches them from any process reaches the values of all. Source: synchronized batch normalization
/// (Zhang et al., 2018).
struct BatchMoments {
  at::Tensor mean, variance;
  int64_t count = 0;  ///< values per channel of the whole batch
};
BatchMoments MomentsAcross(const at::Tensor& values, const BatchSharing& sharing);

}  // namespace qat

#endif  // QAT_TRAIN_ACROSS_WORKERS_H_
