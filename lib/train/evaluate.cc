#include "train/evaluate.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "predict/predictor.h"
#include "train/input_tensor.h"
#include "train/loss.h"
#include "train/modules/nhwc.h"

namespace qat {
namespace {

// Outputs of some examples, whose labels or numbers are given.
void Count(std::span<const float> outputs, std::span<const int32_t> labels, std::span<const float> numbers,
           int64_t targets, Answers& answers) {
  if (targets > 0) {
    if (!answers.numbers) answers.numbers.emplace(targets);
    answers.numbers->Add(outputs, numbers);
    return;
  }
  const size_t classes = outputs.size() / labels.size();
  std::vector<int32_t> answered;
  answered.reserve(labels.size());
  for (size_t i = 0; i < labels.size(); ++i) answered.push_back(ArgMaxOf(outputs.subspan(i * classes, classes)));
  answers.classes.Add(labels, answered);
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

// The share of `labels` that the rows of `logits` answer.
double RightShare(std::span<const float> logits, std::span<const int32_t> labels, size_t classes) {
  int64_t right = 0;
  for (size_t i = 0; i < labels.size(); ++i) right += ArgMaxOf(logits.subspan(i * classes, classes)) == labels[i];
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

double MeanSquare(std::span<const float> outputs, std::span<const float> wanted) {
  return MeanSquaredError(outputs, wanted, {}).loss;
}

// `outputs` of `count` examples, as many numbers or labels each.
void Count(std::span<const float> outputs, std::span<const int32_t> labels, std::span<const float> numbers, size_t count,
           Spread& spread) {
  const size_t size = outputs.size() / count, labels_each = labels.size() / count, numbers_each = numbers.size() / count;
  for (size_t i = 0; i < count; ++i) {
    const std::span<const float> own = outputs.subspan(i * size, size);
    spread.Add(labels.empty() ? MeanSquare(own, numbers.subspan(i * numbers_each, numbers_each))
                              : RightShare(own, labels.subspan(i * labels_each, labels_each), size / labels_each));
  }
}

}  // namespace

Expected<Evaluation> Evaluate(Network& network, const Contract& contract, const Dataset& dataset,
                              std::span<const int32_t> indices, bool fake_quantize, Answers* answers) {
  constexpr size_t kBatch = 250;  // activations of a small network stay in the cache
  const at::NoGradGuard no_gradients;
  const InputTensors tensors(contract, network.graph());
  Evaluation result;
  int64_t correct = 0;
  Spread spread;
  if (dataset.targets == 0) {
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
      if (dataset.targets > 0) {
        const std::span<const float> own = dataset.NumbersOf(index);
        numbers.insert(numbers.end(), own.begin(), own.end());
      } else {
        const std::span<const int32_t> own = dataset.LabelsOf(index);
        labels.insert(labels.end(), own.begin(), own.end());
      }
    }
    const at::Tensor output = network.Forward(tensors.Real(bytes), {.fake_quantize = fake_quantize}).front();
    const at::Tensor logits = functional::ToNhwc(output).contiguous();
    const std::span<const float> values(logits.data_ptr<float>(), static_cast<size_t>(logits.numel()));
    const LossResult loss = dataset.targets > 0 ? MeanSquaredError(values, numbers, {})
                                                : SoftmaxCrossEntropy(values, labels, logits.size(-1), 0, {});
    result.loss += loss.loss * static_cast<double>(batch.size()) / static_cast<double>(indices.size());
    correct += loss.correct;
    Count(values, labels, numbers, batch.size(), spread);
    if (answers != nullptr) Count(values, labels, numbers, dataset.targets, *answers);
  }
  const auto count = static_cast<double>(indices.size()) * static_cast<double>(dataset.LabelsPerImage());
  result.accuracy = dataset.targets > 0 ? std::nan("") : 100.0 * static_cast<double>(correct) / count;
  result.standard_error = spread.StandardError() * (dataset.targets > 0 ? 1 : 100);
  return result;
}

}  // namespace qat
