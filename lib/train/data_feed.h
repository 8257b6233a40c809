// data_feed.h: the batch of each step: which examples, changed as the recipe asks, as tensors, read while the
// step before computes.
#ifndef QAT_TRAIN_DATA_FEED_H_
#define QAT_TRAIN_DATA_FEED_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "base/expected.h"
#include "data/dataset.h"
#include "spec/train_config.h"
#include "train/input_tensor.h"
#include "train/sampler.h"
#include "train/task_loss.h"
#include "train/workers.h"

namespace qat {

/// What N examples should give at one output.
struct BatchLabels {
  std::vector<int32_t> labels;  ///< [N], or [N, label_height, label_width]
  std::vector<float> numbers;   ///< [N, targets] instead of labels

  Wanted wanted() const { return {labels, numbers}; }
  void Append(const OutputLabels& data, int32_t example);
};

/// What one step learns from: real inputs of N examples, as the network takes them, and what each of them
/// should give.
struct Batch {
  std::vector<at::Tensor> inputs;
  std::vector<BatchLabels> outputs;  ///< of each output of the network
  /// Where examples are mixed with others: what these should give, and the part of the loss that `outputs`
  /// have.
  std::vector<BatchLabels> others = {};
  double own_part = 1;
  double share = 1;   ///< of the whole batch, where other processes have the rest
  int64_t first = 0;  ///< examples of the whole batch before these
};

/// Endless batches of some examples of a data set. All of it follows from (seed, step): there is no state to
/// save.
class DataFeed {
 public:
  /// The references outlive the feed.
  DataFeed(const Dataset& data, const TrainConfig& config, InputTensors tensors,
           std::vector<int32_t> examples);

  /// The batch of a step, counted from 0; where data is streamed, reading of the next one begins. Errors: the
  /// stream's.
  Expected<Batch> Read(int64_t step) { return Read(step, {}); }
  /// The examples of it that a process computes.
  Expected<Batch> Read(int64_t step, const WorkerPlace& place);
  /// Steps in which each example comes once, rounded up.
  int64_t PassSteps() const { return sampler_.PassSteps(); }

 private:
  /// What a process reads of a step: its share, then the partners of that which are elsewhere.
  struct Part {
    WorkerShare share;
    double own_part = 1;
    std::vector<int32_t> positions, examples;  ///< in the batch; in the data set
    /// of each example of the share, as an index of `positions`; empty: not mixed
    std::vector<int64_t> partners;
  };
  Part PartOf(int64_t step, const WorkerPlace& place);
  std::vector<int32_t> NextOf(int64_t step, const WorkerPlace& place);
  void AppendLabels(int32_t example, const ImageChange& change, const OutputLabels& data,
                    BatchLabels& batch) const;

  const Dataset& data_;
  const TrainConfig& config_;
  InputTensors tensors_;
  Sampler sampler_;
};

}  // namespace qat

#endif  // QAT_TRAIN_DATA_FEED_H_
