#include "train/evaluate.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "train/input_tensor.h"
#include "train/modules/nhwc.h"
#include "train/task_loss.h"

namespace qat {
namespace {

// Outputs of some examples, whose labels or numbers are given.
void Count(std::span<const float> outputs, int64_t width, std::span<const int32_t> labels,
           std::span<const float> numbers, const TaskLoss& loss, Answers& answers) {
  // A reconstruction has a number for each value of the input, of which none matters by itself.
  if (loss.output.task == Task::kReconstruction) return;
  if (loss.output.task == Task::kNumbers) {
    if (!answers.numbers) answers.numbers.emplace(width);
    std::vector<float> restored(outputs.begin(), outputs.end());
    RestoreTargets(loss.output, restored);
    answers.numbers->Add(restored, numbers);
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
OutputContract OutputOf(const Contract& contract, const Dataset& dataset) {
  OutputContract output = contract.outputs.empty() ? OutputContract() : contract.outputs.front();
  output.task = dataset.task;
  return output;
}

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

// `outputs` of `count` examples, as many numbers or labels each.
void Count(std::span<const float> outputs, int64_t width, Wanted wanted, size_t count, const TaskLoss& loss, Spread& spread) {
  const size_t size = outputs.size() / count, labels = wanted.labels.size() / count, numbers = wanted.numbers.size() / count;
  for (size_t i = 0; i < count; ++i) {
    const Wanted own = {wanted.labels.subspan(i * labels, labels), wanted.numbers.subspan(i * numbers, numbers)};
    const LossResult found = loss.Of(outputs.subspan(i * size, size), width, own, {});
    if (found.counted == 0) continue;
    spread.Add(IsOfNumbers(loss.output.task) ? found.loss
                                             : static_cast<double>(found.correct) / static_cast<double>(found.counted));
  }
}

}  // namespace

Expected<Evaluation> Evaluate(Network& network, const Contract& contract, const Dataset& dataset,
                              std::span<const int32_t> indices, bool fake_quantize, Answers* answers,
                              OutputCounts* counts) {
  constexpr size_t kBatch = 250;  // activations of a small network stay in the cache
  const at::NoGradGuard no_gradients;
  const InputTensors tensors(contract, network.graph());
  const TaskLoss loss = {OutputOf(contract, dataset), 0, {}, network.EndsInSigmoid()};
  Evaluation result;
  int64_t correct = 0, counted = 0;
  double sum = 0;
  Spread spread;
  if (!IsOfNumbers(dataset.task)) {
    spread.Add(0);
    spread.Add(1);
  }
  Bytes bytes;
  std::vector<int32_t> labels;
  std::vector<float> numbers;
  const auto part = [&](size_t first) {
    const size_t begin = std::min(first, indices.size());
    return indices.subspan(begin, std::min(kBatch, indices.size() - begin));
  };
  for (size_t first = 0; first < indices.size(); first += kBatch) {
    const std::span<const int32_t> batch = part(first);
    bytes.resize(batch.size() * static_cast<size_t>(dataset.ImageSize()));
    QAT_RETURN_IF_ERROR(dataset.Read(batch, bytes, part(first + kBatch)));
    labels.clear();
    numbers.clear();
    for (const int32_t index : batch) {
      if (dataset.task == Task::kReconstruction) break;
      if (dataset.task == Task::kNumbers) {
        const std::span<const float> own = dataset.NumbersOf(index);
        numbers.insert(numbers.end(), own.begin(), own.end());
      } else {
        const std::span<const int32_t> own = dataset.LabelsOf(index);
        labels.insert(labels.end(), own.begin(), own.end());
      }
    }
    if (dataset.task == Task::kReconstruction) AppendValues(dataset.input().values, bytes, numbers);
    const at::Tensor output = network.Forward(tensors.Real(bytes), {.fake_quantize = fake_quantize, .counts = counts},
                                               [&](const Module& layer, const at::Tensor& made) {
                                                 if (counts != nullptr) counts->Compare(layer.name(), made, std::ssize(batch));
                                               }).front();
    const at::Tensor logits = functional::ToNhwc(output).contiguous();
    const std::span<const float> values(logits.data_ptr<float>(), static_cast<size_t>(logits.numel()));
    const LossResult found = loss.Of(values, logits.size(-1), {labels, numbers}, {});
    sum += found.loss * static_cast<double>(found.counted);
    counted += found.counted;
    correct += found.correct;
    Count(values, logits.size(-1), {labels, numbers}, batch.size(), loss, spread);
    if (answers != nullptr) Count(values, logits.size(-1), labels, numbers, loss, *answers);
  }
  const bool real = IsOfNumbers(dataset.task);
  const auto count = static_cast<double>(std::max<int64_t>(counted, 1));
  result.loss = sum / count;
  result.accuracy = real ? std::nan("") : 100.0 * static_cast<double>(correct) / count;
  result.standard_error = spread.StandardError() * (real ? 1 : 100);
  return result;
}

}  // namespace qat
