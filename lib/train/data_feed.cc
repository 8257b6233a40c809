#include "train/data_feed.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>

#include <numeric>
#include <span>
#include <utility>

#include "train/mixup.h"

namespace qat {
namespace {

// The labels of some of `rows` examples.
BatchLabels Picked(const BatchLabels& all, size_t rows, std::span<const int64_t> picked) {
  const size_t each = all.labels.size() / rows;
  BatchLabels labels;
  for (const int64_t row : picked) {
    const auto first = all.labels.begin() + row * static_cast<std::ptrdiff_t>(each);
    labels.labels.insert(labels.labels.end(), first, first + static_cast<std::ptrdiff_t>(each));
  }
  return labels;
}

// As many examples as `partners`, from the first on, with those that these name.
void Mix(const std::vector<int64_t>& partners, double own_part, Batch& batch) {
  const auto rows = static_cast<size_t>(batch.inputs[0].size(0));
  std::vector<int64_t> own(partners.size());
  std::iota(own.begin(), own.end(), 0);
  const at::Tensor others = at::tensor(partners);
  for (at::Tensor& input : batch.inputs) {
    const at::Tensor mixed = input.narrow(0, 0, std::ssize(own)).mul(own_part);
    input = mixed.add(input.index_select(0, others), 1 - own_part);
  }
  for (BatchLabels& labels : batch.outputs) {
    batch.others.push_back(Picked(labels, rows, partners));
    labels = Picked(labels, rows, own);
  }
  batch.own_part = own_part;
}

}  // namespace

DataFeed::DataFeed(const Dataset& data, const TrainConfig& config, InputTensors tensors,
                   std::vector<int32_t> examples)
    : data_(data),
      config_(config),
      tensors_(std::move(tensors)),
      sampler_(std::move(examples), config.batch_size, config.seed) {}

DataFeed::Part DataFeed::PartOf(int64_t step, const WorkerPlace& place) {
  std::vector<int32_t> chosen;
  sampler_.Batch(step, chosen);
  Part part;
  part.share = ShareOf(place, std::ssize(chosen));
  for (int64_t i = part.share.begin; i < part.share.end; ++i)
    part.positions.push_back(static_cast<int32_t>(i));
  if (config_.mixup > 0) {
    const Mixture mixture = DrawMixture(config_.mixup, config_.seed, step, config_.batch_size);
    part.own_part = mixture.share;
    for (int64_t i = part.share.begin; i < part.share.end; ++i) {
      const int32_t partner = mixture.partners[static_cast<size_t>(i)];
      const bool here = partner >= part.share.begin && partner < part.share.end;
      part.partners.push_back(here ? partner - part.share.begin : std::ssize(part.positions));
      if (!here) part.positions.push_back(partner);
    }
  }
  for (const int32_t position : part.positions)
    part.examples.push_back(chosen[static_cast<size_t>(position)]);
  return part;
}

// What the stream is to have ready next. It forgets everything else, so threads that share it ask for what
// the others of this step and the next one need, too.
std::vector<int32_t> DataFeed::NextOf(int64_t step, const WorkerPlace& place) {
  if (!place.threads) return PartOf(step + 1, place).examples;
  std::vector<int32_t> all, next;
  sampler_.Batch(step, all);
  sampler_.Batch(step + 1, next);
  all.insert(all.end(), next.begin(), next.end());
  return all;
}

Expected<Batch> DataFeed::Read(int64_t step, const WorkerPlace& place) {
  std::vector<int32_t> next;
  const Part part = PartOf(step, place);
  if (data_.stream != nullptr) next = NextOf(step, place);
  const std::vector<int32_t>& examples = part.examples;
  const auto size = static_cast<size_t>(data_.ImageSize());
  Bytes stored(examples.size() * size);
  // Changes are those of one picture of bytes.
  const bool picture = data_.inputs.size() == 1 && data_.input().values == ValueType::kByte;
  Bytes changed(picture ? stored.size() : 0);
  QAT_RETURN_IF_ERROR(data_.Read(examples, stored, next));
  Batch batch;
  batch.outputs.resize(data_.output_count());
  batch.first = part.share.begin;
  batch.share = static_cast<double>(part.share.end - part.share.begin) / config_.batch_size;
  for (size_t i = 0; i < examples.size(); ++i) {
    const ImageChange change = picture ? DrawChange(config_, step, part.positions[i]) : ImageChange();
    if (picture) {
      ChangeImage(std::span(stored).subspan(i * size, size), data_.input().height, data_.input().width,
                  data_.input().channels, change, std::span(changed).subspan(i * size, size));
    }
    for (size_t output = 0; output < batch.outputs.size(); ++output)
      AppendLabels(examples[i], change, data_.output_labels(output), batch.outputs[output]);
  }
  if (!picture && data_.inputs.size() == 1)
    ChangeSeries(config_, tensors_.contract().input(), step, part.positions, stored);
  batch.inputs = tensors_.Real(picture ? changed : stored);
  if (data_.task == Task::kReconstruction)
    AppendValues(data_.input().values, picture ? changed : stored, batch.outputs[0].numbers);
  if (!part.partners.empty()) Mix(part.partners, part.own_part, batch);
  return batch;
}

void BatchLabels::Append(const OutputLabels& data, int32_t example) {
  if (data.task == Task::kReconstruction) return;
  if (data.task == Task::kNumbers) {
    const std::span<const float> own = data.NumbersOf(example);
    numbers.insert(numbers.end(), own.begin(), own.end());
    return;
  }
  const std::span<const int32_t> own = data.LabelsOf(example);
  labels.insert(labels.end(), own.begin(), own.end());
}

void DataFeed::AppendLabels(int32_t example, const ImageChange& change, const OutputLabels& data,
                            BatchLabels& batch) const {
  // Only places in a map move with the picture.
  if (IsOfNumbers(data.task) || data.task == Task::kMultiLabel) return batch.Append(data, example);
  const size_t before = batch.labels.size();
  batch.labels.resize(before + static_cast<size_t>(data.LabelsPerImage()));
  ChangeLabels(data.LabelsOf(example), data.label_height, data.label_width, data_.input().height,
               data_.input().width, change, data.ignored ? kIgnoredLabel : 0,
               std::span(batch.labels).subspan(before));
}

}  // namespace qat
