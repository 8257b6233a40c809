// loss.h: losses, their gradients and the count of right answers, in one pass over a few rows.
#ifndef QAT_TRAIN_LOSS_H_
#define QAT_TRAIN_LOSS_H_

#include <cstdint>
#include <span>

namespace qat {

struct LossResult {
  double loss = 0;      ///< mean over the rows
  int64_t correct = 0;  ///< rows whose first largest output is the label, or values on the right side
  int64_t counted = 0;  ///< rows or values that have a label, or real numbers
  double weight = 0;    ///< what the mean divides by: their weights
};

/// What another network answers to the same examples.
struct Distillation {
  /// its logits, as many as those of the network that learns; empty: there is none
  std::span<const float> teacher = {};
  double weight = 0;       ///< w, of the loss
  double temperature = 1;  ///< T
};

///   loss = mean over n of -sum over c of t[n, c] * log softmax(logits[n])[c],
///   t = (1 - smoothing) * onehot + smoothing / classes,
///   gradient (empty: not wanted) = (softmax - t) / rows.
/// With a teacher each row has (1 - w) of that loss and w T^2 sum over c of p (log p - log q), p =
/// softmax(teacher / T), q = softmax(logits / T), whose gradient is w T (q - p). Source: Hinton, Vinyals,
/// Dean 2015.
/// Accumulates in double; the largest logit is subtracted first.
/// With weights [classes] each t[n, c] is multiplied by that of c, and the mean divides by the weights of the
/// labels, as PyTorch's CrossEntropyLoss does; the teacher's part is weighted by that of the label. Rows
/// labelled kIgnoredLabel have no loss and do not count.
/// Shapes    logits [rows, classes] row-major, labels [rows] in [0, classes), or kIgnoredLabel.
LossResult SoftmaxCrossEntropy(std::span<const float> logits, std::span<const int32_t> labels,
                               int64_t classes, double smoothing, std::span<float> gradient,
                               std::span<const float> weights = {}, const Distillation& distillation = {});

struct BinaryOptions {
  double smoothing = 0;  ///< targets s / 2 and 1 - s / 2 in place of 0 and 1
  /// of labels 0 and 1, or with `period` of label 1 at each position, that of 0 is 1
  std::span<const float> weights;
  int64_t period = 0;          ///< values per row where each has a weight of its own; 0: none has
  bool probabilities = false;  ///< scores are sigmoids already
};

///   loss = mean over scores of -(w1 t log p + w0 (1 - t) log(1 - p)),  p = sigmoid(score), t the label.
/// The mean is that of values weighted by the weight of their label; with `period` a plain one, as with
/// PyTorch's pos_weight.
/// Probabilities are taken as at least 1 / 512, half a step of a quantized sigmoid, away from 0 and 1, where
/// the loss is infinite.
/// Shapes    scores, labels (0, 1 or kIgnoredLabel), gradient: as many values.
LossResult BinaryCrossEntropy(std::span<const float> scores, std::span<const int32_t> labels,
                              const BinaryOptions& options, std::span<float> gradient);

///   loss = mean over all values of (output - target)^2,
///   gradient (empty: not wanted) = 2 (output - target) / values.
/// Targets that are NaN are not known: they have no loss and do not count.
/// Shapes    outputs, targets, gradient: as many values.  LossResult::correct stays 0.
LossResult MeanSquaredError(std::span<const float> outputs, std::span<const float> targets,
                            std::span<float> gradient);

}  // namespace qat

#endif  // QAT_TRAIN_LOSS_H_
