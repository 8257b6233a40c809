#include "train/weight_average.h"

#include <algorithm>

#include "base/strings.h"
#include "train/vector_clones.h"

namespace qat {
namespace {

QAT_VECTOR_CLONES void Average(float* __restrict average, const float* __restrict now, size_t count,
                               float fresh) {
  for (size_t k = 0; k < count; ++k) average[k] += fresh * (now[k] - average[k]);
}

}  // namespace

void WeightAverage::Update(std::span<const TrainableSpan> parameters) {
  if (values_.empty()) {
    for (const TrainableSpan& each : parameters) values_.emplace_back(each.values.begin(), each.values.end());
  }
  const auto t = static_cast<double>(updates_++);
  const auto fresh = static_cast<float>(1 - std::min(decay_, (1 + t) / (10 + t)));
  for (size_t i = 0; i < parameters.size(); ++i) {
    const std::span<const float> now = parameters[i].values;
    Average(values_[i].data(), now.data(), now.size(), fresh);
  }
}

void WeightAverage::Save(std::span<const TrainableSpan> parameters, TrainerState& state) const {
  state.scalars["average/updates"] = static_cast<double>(updates_);
  for (size_t i = 0; i < values_.size(); ++i) {
    state.tensors[StrCat("average/", parameters[i].name)] = {{static_cast<int32_t>(values_[i].size())},
                                                             values_[i]};
  }
}

Status WeightAverage::Load(std::span<const TrainableSpan> parameters, const TrainerState& state) {
  const auto updates = state.scalars.find("average/updates");
  if (updates == state.scalars.end()) return Corrupt("number 'average/updates' is missing");
  updates_ = static_cast<int64_t>(updates->second);
  values_.clear();
  for (const TrainableSpan& parameter : parameters) {
    const auto found = state.tensors.find(StrCat("average/", parameter.name));
    if (found == state.tensors.end() || found->second.values.size() != parameter.values.size()) {
      return Corrupt(StrCat("tensor 'average/", parameter.name, "' is missing or of the wrong size"));
    }
    values_.push_back(found->second.values);
  }
  return {};
}

}  // namespace qat
