// teacher.h: a trained network that another one learns from, beside the labels.
#ifndef QAT_TRAIN_TEACHER_H_
#define QAT_TRAIN_TEACHER_H_

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "contract/contract.h"
#include "ir/graph.h"
#include "train/network.h"

namespace qat {

/// Whether a network can be taught: both have one output of the same classes, and what is made of an example
/// is the same to both.
/// Errors: kInvalidArgument and kUnsupported, saying what differs, and what would be the same.
Status CheckTeacher(const Checkpoint& teacher, const Graph& network, const Contract& contract);

/// Answers as a float network in evaluation, never changed.
class Teacher {
 public:
  /// Errors: those of Network::FromCheckpoint.
  static Expected<std::unique_ptr<Teacher>> Load(const Checkpoint& checkpoint);

  /// Logits, in TFLite's order of axes. `inputs` as the network that learns gets them.
  std::vector<float> AnswersTo(const std::vector<at::Tensor>& inputs) const;

 private:
  explicit Teacher(std::unique_ptr<Network> network) : network_(std::move(network)) {}
  std::unique_ptr<Network> network_;
};

}  // namespace qat

#endif  // QAT_TRAIN_TEACHER_H_
