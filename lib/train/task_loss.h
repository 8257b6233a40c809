// task_loss.h: what the task of an output asks of it: the loss that it learns by, and which of its answers
// are right.
#ifndef QAT_TRAIN_TASK_LOSS_H_
#define QAT_TRAIN_TASK_LOSS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "contract/contract.h"
#include "train/loss.h"

namespace qat {

/// What the outputs of some examples are held against: labels, or real numbers; classes also what a teacher
/// answers.
struct Wanted {
  std::span<const int32_t> labels;
  std::span<const float> numbers;
  std::span<const float> teacher = {};  ///< as many as outputs; empty: there is none
};

/// The loss of one output.
///   classes      softmax cross entropy of each row of the last axis
///   yes-no, multi-label  binary cross entropy of each value
///   numbers      mean squared error: of one target in its own unit, of several normalized ones of what each
///                is in deviations; its gradient is always that of the normalized targets, of which each
///                counts alike
struct TaskLoss {
  OutputContract output = {};
  double smoothing = 0;  ///< of classes
  std::vector<float> weights =
      {};  ///< of classes and of yes-no one per class; of several labels of each being there, against 1 of
           ///< its not being there; empty: 1
  bool probabilities = false;  ///< of yes or no: the outputs have gone through a sigmoid
  /// of numbers: the loss is that of the normalized targets in any case, to be summed with others
  bool summed = false;
  double teacher_weight = 0, teacher_temperature = 1;  ///< of Distillation, where there is a teacher

  /// Whether the loss of numbers is in deviations: several targets would else be judged by the one of the
  /// largest unit.
  bool InDeviations() const { return summed || output.std.size() > 1; }

  /// gradient (empty: not wanted) of the loss by outputs. Shapes  outputs [.., width]; labels one per row, or
  /// of yes or no one per value, kIgnoredLabel where there is none; numbers as many as outputs.
  LossResult Of(std::span<const float> outputs, int64_t width, Wanted wanted,
                std::span<float> gradient) const;

  /// The answer of each row, or of yes or no of each value.
  std::vector<int32_t> AnswersOf(std::span<const float> outputs, int64_t width) const;

  /// The loss of a network that knows nothing: what a run far above has gone wrong.
  double Chance(int64_t width, Wanted wanted) const;
};

}  // namespace qat

#endif  // QAT_TRAIN_TASK_LOSS_H_
