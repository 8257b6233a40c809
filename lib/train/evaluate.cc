#include "train/evaluate.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "train/data_feed.h"
#include "train/input_tensor.h"
#include "train/modules/nhwc.h"
#include "train/task_loss.h"
#include "train/tensor_span.h"

namespace qat {
namespace {

std::vector<float> Restored(const OutputContract& output, std::span<const float> values) {
  std::vector<float> restored(values.begin(), values.end());
  RestoreTargets(output, restored);
  return restored;
}

// Outputs of some examples, whose labels or numbers are given.
void Count(std::span<const float> outputs, int64_t width, std::span<const int32_t> labels,
           std::span<const float> numbers, const TaskLoss& loss, Answers& answers) {
  // A reconstruction has a number for each value of the input, of which none matters by itself.
  if (loss.output.task == Task::kReconstruction) return;
  if (loss.output.task == Task::kNumbers) {
    if (!answers.numbers) answers.numbers.emplace(width);
    answers.numbers->Add(Restored(loss.output, outputs), numbers);
    return;
  }
  if (loss.output.task == Task::kMultiLabel) return;
  std::vector<int32_t> known, answered = loss.AnswersOf(outputs, width);
  size_t kept = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == kIgnoredLabel) continue;
    known.push_back(labels[i]);
    answered[kept++] = answered[i];
  }
  answered.resize(kept);
  answers.classes.Add(known, answered);
}

// Of the contract, as far as it says what the output means.
OutputContract OutputOf(const Contract& contract, const Dataset& dataset, size_t index) {
  OutputContract output = index < contract.outputs.size() ? contract.outputs[index] : OutputContract();
  output.task = dataset.output_labels(index).task;
  return output;
}

constexpr int32_t kMostTargets = 100;  // that are told one by one

// What single examples say, each a share of right labels or a mean squared error: how sure their mean is.
class Spread {
 public:
  void Add(double value) {
    ++count_;
    sum_ += value;
    squares_ += value * value;
  }
  double StandardError() const {
    const double mean = sum_ / count_;
    return count_ < 2 ? mean : std::sqrt(std::max(squares_ / count_ - mean * mean, 0.0) / (count_ - 1));
  }

 private:
  double count_ = 0, sum_ = 0, squares_ = 0;
};

/// What one output answers to all examples.
class OutputTally {
 public:
  /// `several`: of several outputs, whose losses are summed.
  OutputTally(const OutputLabels& labels, TaskLoss loss, bool several, Answers* answers)
      : labels_(labels), loss_(std::move(loss)), summed_(loss_), answers_(answers) {
    summed_.summed = several;
    if (labels.task == Task::kNumbers && labels.targets > 1 && labels.targets <= kMostTargets)
      each_target_.emplace(labels.targets);
  }

  BatchLabels& batch() { return batch_; }
  const OutputLabels& labels() const { return labels_; }

  /// Outputs of the examples of the batch.
  void Count(const at::Tensor& output) {
    output_ = functional::ToNhwc(output).contiguous();
    const LossResult found = loss_.Of(values(), width(), batch_.wanted(), {});
    const bool same = !IsOfNumbers(labels_.task) || summed_.InDeviations() == loss_.InDeviations();
    const double to_sum = same ? found.loss : summed_.Of(values(), width(), batch_.wanted(), {}).loss;
    const auto counted = static_cast<double>(found.counted);
    sum_ += found.loss * counted;
    summed_sum_ += to_sum * counted;
    counted_ += found.counted;
    correct_ += found.correct;
    if (answers_ != nullptr) qat::Count(values(), width(), batch_.labels, batch_.numbers, loss_, *answers_);
    if (each_target_) each_target_->Add(Restored(loss_.output, values()), batch_.numbers);
  }

  /// Of one example out of the `count` of the batch, the loss as it is summed.
  LossResult Of(size_t example, size_t count) const {
    const size_t size = values().size() / count, labels = batch_.labels.size() / count,
                 numbers = batch_.numbers.size() / count;
    const Wanted own = {std::span(batch_.labels).subspan(example * labels, labels),
                        std::span(batch_.numbers).subspan(example * numbers, numbers)};
    return summed_.Of(values().subspan(example * size, size), width(), own, {});
  }

  double loss() const { return sum_ / Counted(); }
  double summed_loss() const { return summed_sum_ / Counted(); }
  std::vector<double> target_rmse() const {
    std::vector<double> rmse;
    if (!each_target_) return rmse;
    for (const NumberFacts::Target& target : each_target_->targets())
      rmse.push_back(std::sqrt(target.squared_error));
    return rmse;
  }
  double accuracy() const {
    return IsOfNumbers(labels_.task) ? std::nan("") : 100.0 * static_cast<double>(correct_) / Counted();
  }

 private:
  double Counted() const { return static_cast<double>(std::max<int64_t>(counted_, 1)); }
  std::span<const float> values() const { return SpanOf(output_); }
  int64_t width() const { return output_.size(-1); }

  const OutputLabels& labels_;
  TaskLoss loss_;
  TaskLoss summed_;  // as it is summed with others
  Answers* answers_;
  BatchLabels batch_;
  std::optional<NumberFacts> each_target_;
  at::Tensor output_;
  double sum_ = 0, summed_sum_ = 0;
  int64_t counted_ = 0, correct_ = 0;
};

/// The outputs of a network on all examples.
class NetworkTally {
 public:
  NetworkTally(const Network& network, const Contract& contract, const Dataset& dataset, Answers* answers,
               const std::map<std::string, double>& weights) {
    const size_t count = dataset.output_count();
    if (answers != nullptr) answers->others.resize(count - 1);
    for (size_t i = 0; i < count; ++i) {
      Answers* const own = answers == nullptr ? nullptr : i == 0 ? answers : &answers->others[i - 1];
      const TaskLoss loss = {OutputOf(contract, dataset, i), 0, {}, network.EndsInSigmoid(i)};
      outputs_.emplace_back(dataset.output_labels(i), loss, count > 1, own);
      const auto weight = weights.find(dataset.output_labels(i).output);
      weights_.push_back(weight == weights.end() ? 1 : weight->second);
    }
    // Two more examples of an accuracy, one right and one wrong.
    if (IsOfNumbers(dataset.task) || several()) return;
    spread_.Add(0);
    spread_.Add(1);
  }

  /// What a batch of examples should give; `bytes` are its inputs.
  void StartBatch(std::span<const int32_t> examples, const Dataset& dataset, std::span<const uint8_t> bytes) {
    for (OutputTally& output : outputs_) {
      output.batch() = {};
      for (const int32_t example : examples) output.batch().Append(output.labels(), example);
    }
    if (dataset.task == Task::kReconstruction)
      AppendValues(dataset.input().values, bytes, outputs_[0].batch().numbers);
  }

  void Count(const std::vector<at::Tensor>& outputs, size_t examples) {
    for (size_t i = 0; i < outputs_.size(); ++i) outputs_[i].Count(outputs[i]);
    for (size_t example = 0; example < examples; ++example) CountExample(example, examples);
  }

  Evaluation Result() const {
    Evaluation result;
    result.accuracy = several() ? std::nan("") : outputs_[0].accuracy();
    result.loss = several() ? 0 : outputs_[0].loss();
    if (!several()) result.target_rmse = outputs_[0].target_rmse();
    for (size_t i = 0; several() && i < outputs_.size(); ++i) {
      result.loss += weights_[i] * outputs_[i].summed_loss();
      result.outputs.push_back({outputs_[i].labels().output, outputs_[i].accuracy(), outputs_[i].loss(),
                                outputs_[i].target_rmse()});
    }
    result.standard_error = spread_.StandardError() * (std::isnan(result.accuracy) ? 1 : 100);
    return result;
  }

 private:
  bool several() const { return outputs_.size() > 1; }

  void CountExample(size_t example, size_t count) {
    double loss = 0;
    for (size_t i = 0; i < outputs_.size(); ++i) {
      const LossResult found = outputs_[i].Of(example, count);
      if (!several() && found.counted == 0) return;
      const bool right = !several() && !IsOfNumbers(outputs_[i].labels().task);
      loss += right ? static_cast<double>(found.correct) / static_cast<double>(found.counted)
                    : weights_[i] * found.loss;
    }
    spread_.Add(loss);
  }

  std::vector<OutputTally> outputs_;
  std::vector<double> weights_;
  Spread spread_;
};

}  // namespace

Expected<Evaluation> Evaluate(Network& network, const Contract& contract, const Dataset& dataset,
                              std::span<const int32_t> indices, bool fake_quantize, Answers* answers,
                              const std::map<std::string, double>& weights, OutputCounts* counts) {
  constexpr size_t kBatch = 250;  // activations of a small network stay in the cache
  const at::NoGradGuard no_gradients;
  const InputTensors tensors(contract, network.graph());
  NetworkTally tally(network, contract, dataset, answers, weights);
  Bytes bytes;
  const auto part = [&](size_t first) {
    const size_t begin = std::min(first, indices.size());
    return indices.subspan(begin, std::min(kBatch, indices.size() - begin));
  };
  for (size_t first = 0; first < indices.size(); first += kBatch) {
    const std::span<const int32_t> batch = part(first);
    bytes.resize(batch.size() * static_cast<size_t>(dataset.ImageSize()));
    QAT_RETURN_IF_ERROR(dataset.Read(batch, bytes, part(first + kBatch)));
    tally.StartBatch(batch, dataset, bytes);
    const std::vector<at::Tensor> outputs =
        network.Forward(tensors.Real(bytes), {.fake_quantize = fake_quantize, .counts = counts},
                        [&](const Module& layer, const at::Tensor& made) {
                          if (counts != nullptr) counts->Compare(layer.name(), made, std::ssize(batch));
                        });
    tally.Count(outputs, batch.size());
  }
  return tally.Result();
}

}  // namespace qat
