// batch_norm_across.h: batch normalization by the batch that several workers have together.
#ifndef QAT_TRAIN_BATCH_NORM_ACROSS_H_
#define QAT_TRAIN_BATCH_NORM_ACROSS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "train/across_workers.h"

namespace qat {

/// A batch that is normalized, and the moments that it is normalized by, which have no gradient of their own.
struct NormalizedBatch {
  at::Tensor values;
  at::Tensor mean, variance;  ///< [C] of the whole batch; biased
  int64_t count = 0;          ///< values per channel of the whole batch
};

/// gamma * (x - mean) / sqrt(variance + epsilon) + beta of the share [N, C, …] that this worker has, with
/// gradients through the moments, which reach the values of all workers. Those of gamma and beta are of the
/// share, as all gradients of parameters are until they are summed. Two messages: one forward, one back.
/// Requires  workers. Source: synchronized batch normalization (Zhang et al., 2018).
NormalizedBatch BatchNormAcross(const at::Tensor& values, const at::Tensor& gamma, const at::Tensor& beta,
                                double epsilon, const BatchSharing& sharing);

}  // namespace qat

#endif  // QAT_TRAIN_BATCH_NORM_ACROSS_H_
