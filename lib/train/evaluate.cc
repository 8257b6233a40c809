#include "train/evaluate.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
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

}  // namespace

Expected<Evaluation> Evaluate(Network& network, const InputContract& contract, const Dataset& dataset,
                              std::span<const int32_t> indices, bool fake_quantize, Answers* answers) {
  constexpr size_t kBatch = 250;  // activations of a small network stay in the cache
  const at::NoGradGuard no_gradients;
  const RealTable table = MakeRealTable(contract);
  Evaluation result;
  int64_t correct = 0;
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
    const at::Tensor output =
        network.Forward(RealImages(contract, table, bytes), {.fake_quantize = fake_quantize});
    const at::Tensor logits = functional::ToNhwc(output).contiguous();
    const std::span<const float> values(logits.data_ptr<float>(), static_cast<size_t>(logits.numel()));
    const LossResult loss = dataset.targets > 0 ? MeanSquaredError(values, numbers, {})
                                                : SoftmaxCrossEntropy(values, labels, logits.size(-1), 0, {});
    result.loss += loss.loss * static_cast<double>(batch.size()) / static_cast<double>(indices.size());
    correct += loss.correct;
    if (answers != nullptr) Count(values, labels, numbers, dataset.targets, *answers);
  }
  const auto count = static_cast<double>(indices.size()) * static_cast<double>(dataset.LabelsPerImage());
  result.accuracy = dataset.targets > 0 ? std::nan("") : 100.0 * static_cast<double>(correct) / count;
  return result;
}

}  // namespace qat
