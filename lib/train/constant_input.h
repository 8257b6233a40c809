// constant_input.h: a real constant that a node reads beside what is computed (x + 0.5): a tensor that is not
// trained, on the grid that conversion will give it.
#ifndef QAT_TRAIN_CONSTANT_INPUT_H_
#define QAT_TRAIN_CONSTANT_INPUT_H_

#include <ATen/core/Tensor.h>

#include <memory>

#include "ir/graph.h"
#include "train/modules/module.h"

namespace qat {

class ConstantInput {
 public:
  /// Of rank `rank` as LibTorch orders it: missing leading axes have size 1. Requires  float32 values, at
  /// most that rank.
  ConstantInput(const GraphTensor& tensor, size_t rank, const Precision& activations);

  /// A range that a node ties to others, instead of its own.
  void ShareRange(std::shared_ptr<const SharedRange> range) { quantizer_->ShareRange(std::move(range)); }

  /// For a batch of `count` examples; rounded where `context` says so.
  at::Tensor Real(int64_t count, const ForwardContext& context) const;
  SimulatedTensor Simulated(int64_t count) const;

 private:
  at::Tensor Repeated(const at::Tensor& values, int64_t count) const;

  at::Tensor real_;
  std::unique_ptr<RangeQuantizer> quantizer_;
};

}  // namespace qat

#endif  // QAT_TRAIN_CONSTANT_INPUT_H_
