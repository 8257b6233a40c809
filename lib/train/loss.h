// loss.h: softmax, cross entropy, its gradient and the count of right answers, in one pass over a few rows.
#ifndef QAT_TRAIN_LOSS_H_
#define QAT_TRAIN_LOSS_H_

#include <cstdint>
#include <span>

namespace qat {

struct LossResult {
  double loss = 0;      ///< mean over the rows
  int64_t correct = 0;  ///< rows whose first largest output is the label
};

///   loss = mean over n of -sum over c of t[n, c] * log softmax(logits[n])[c],
///   t = (1 - smoothing) * onehot + smoothing / classes,  gradient (empty: not wanted) = (softmax - t) / rows.
/// Accumulates in double; the largest logit is subtracted first.
/// Shapes    logits [rows, classes] row-major, labels [rows] in [0, classes).
LossResult SoftmaxCrossEntropy(std::span<const float> logits, std::span<const int32_t> labels,
                               int64_t classes, double smoothing, std::span<float> gradient);

///   loss = mean over all values of (output - target)^2,  gradient (empty: not wanted) = 2 (output - target) / values.
/// Shapes    outputs, targets, gradient: as many values.  LossResult::correct stays 0.
LossResult MeanSquaredError(std::span<const float> outputs, std::span<const float> targets,
                            std::span<float> gradient);

}  // namespace qat

#endif  // QAT_TRAIN_LOSS_H_
