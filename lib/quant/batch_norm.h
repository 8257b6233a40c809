// batch_norm.h: batch normalization folded into the filter before it: the only implementation, used by the
// exact simulation in training and by freezing.
#ifndef QAT_QUANT_BATCH_NORM_H_
#define QAT_QUANT_BATCH_NORM_H_

#include <span>
#include <vector>

namespace qat {

/// What a batch normalization has learned, one value per output channel.
struct BatchNormState {
  std::span<const float> gamma;
  std::span<const float> beta;
  std::span<const float> mean;      ///< moving averages over batches
  std::span<const float> variance;  ///< >= 0
  double epsilon = 1e-3;
};

/// gamma * (filter * x - mean) / sqrt(variance + epsilon) + beta as filter' * x + bias'.
struct FoldedFilter {
  std::vector<float> filter;
  std::vector<float> bias;
};

/// filter'[i] = filter[i] * gamma[c] / sqrt(variance[c] + epsilon);  bias'[c] = beta[c] - mean[c] * gamma[c]
/// / sqrt(…).
/// Shapes    `filter` holds blocks of `inner` values of one channel each, channels in turn: inner = H * W * I
/// for
///           [O, H, W, I], 1 where the channel is the last axis ([1, H, W, O]).
/// Rounding  in double, once to float32.
FoldedFilter FoldBatchNorm(std::span<const float> filter, size_t inner, const BatchNormState& state);

}  // namespace qat

#endif  // QAT_QUANT_BATCH_NORM_H_
