#include "train/data_feed.h"

#include <utility>

namespace qat {

DataFeed::DataFeed(const Dataset& data, const TrainConfig& config, InputTensors tensors, std::vector<int32_t> examples)
    : data_(data),
      config_(config),
      tensors_(std::move(tensors)),
      sampler_(std::move(examples), config.batch_size, config.seed) {}

Expected<Batch> DataFeed::Read(int64_t step, const WorkerPlace& place) {
  std::vector<int32_t> examples, next;
  const auto part = [&](int64_t of, std::vector<int32_t>& chosen) {
    sampler_.Batch(of, chosen);
    const WorkerShare share = ShareOf(place, std::ssize(chosen));
    chosen = {chosen.begin() + share.begin, chosen.begin() + share.end};
    return share;
  };
  if (data_.stream != nullptr) part(step + 1, next);
  const WorkerShare share = part(step, examples);
  const auto size = static_cast<size_t>(data_.ImageSize());
  Bytes stored(examples.size() * size);
  // Changes are those of one picture of bytes.
  const bool picture = data_.inputs.size() == 1 && data_.input().values == ValueType::kByte;
  Bytes changed(picture ? stored.size() : 0);
  QAT_RETURN_IF_ERROR(data_.Read(examples, stored, next));
  Batch batch;
  batch.outputs.resize(data_.output_count());
  batch.first = share.begin;
  batch.share = static_cast<double>(examples.size()) / config_.batch_size;
  for (size_t i = 0; i < examples.size(); ++i) {
    const ImageChange change = picture ? DrawChange(config_, step, share.begin + static_cast<int64_t>(i)) : ImageChange();
    if (picture) {
      ChangeImage(std::span(stored).subspan(i * size, size), data_.input().height, data_.input().width, data_.input().channels, change,
                  std::span(changed).subspan(i * size, size));
    }
    for (size_t output = 0; output < batch.outputs.size(); ++output)
      AppendLabels(examples[i], change, data_.output_labels(output), batch.outputs[output]);
  }
  if (!picture && data_.inputs.size() == 1) ChangeSeries(config_, tensors_.contract().input(), step, stored);
  batch.inputs = tensors_.Real(picture ? changed : stored);
  if (data_.task == Task::kReconstruction) AppendValues(data_.input().values, picture ? changed : stored, batch.outputs[0].numbers);
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

void DataFeed::AppendLabels(int32_t example, const ImageChange& change, const OutputLabels& data, BatchLabels& batch) const {
  // Only places in a map move with the picture.
  if (IsOfNumbers(data.task) || data.task == Task::kMultiLabel) return batch.Append(data, example);
  const size_t before = batch.labels.size();
  batch.labels.resize(before + static_cast<size_t>(data.LabelsPerImage()));
  ChangeLabels(data.LabelsOf(example), data.label_height, data.label_width, data_.input().height, data_.input().width,
               change, data.ignored ? kIgnoredLabel : 0, std::span(batch.labels).subspan(before));
}

}  // namespace qat
