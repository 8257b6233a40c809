#include "train/class_weights.h"

#include <algorithm>

#include "base/strings.h"

namespace qat {
namespace {

// Of each label: how many examples have it.
std::vector<int64_t> CountMarks(const Dataset& data, std::span<const int32_t> examples) {
  std::vector<int64_t> counts(static_cast<size_t>(data.label_width), 0);
  for (const int32_t example : examples) {
    const std::span<const int32_t> marks = data.LabelsOf(example);
    for (size_t i = 0; i < counts.size(); ++i) counts[i] += marks[i];
  }
  return counts;
}

std::vector<int64_t> CountClasses(const Dataset& data, std::span<const int32_t> examples) {
  std::vector<int64_t> counts(data.class_names.size(), 0);
  for (const int32_t example : examples) {
    for (const int32_t label : data.LabelsOf(example)) {
      if (label != kIgnoredLabel) ++counts[static_cast<size_t>(label)];
    }
  }
  return counts;
}

}  // namespace

Expected<std::vector<float>> WeightsOf(const ClassWeights& weights, const Dataset& data,
                                       std::span<const int32_t> examples) {
  if (!weights.balanced && weights.values.empty()) return std::vector<float>();
  if (IsOfNumbers(data.task)) {
    return InvalidArgument(StrCat("`class_weights`: weigh classes, and the labels of ", data.name,
                                  " are real numbers: leave it out"));
  }
  const bool marks = data.task == Task::kMultiLabel;
  const size_t needed = marks ? static_cast<size_t>(data.label_width) : data.class_names.size();
  if (!weights.balanced) {
    if (weights.values.size() == needed)
      return std::vector<float>(weights.values.begin(), weights.values.end());
    return InvalidArgument(StrCat(
        "`class_weights`: has ", weights.values.size(), weights.values.size() == 1 ? " number" : " numbers",
        ", expected one for each of the ", needed, marks ? " labels" : " classes", " of ", data.name));
  }
  const std::vector<int64_t> counts = marks ? CountMarks(data, examples) : CountClasses(data, examples);
  int64_t total = 0;
  for (const int64_t count : counts) total += count;
  std::vector<float> balanced;
  for (const int64_t count : counts) {
    const auto with = static_cast<double>(count);
    const double without = static_cast<double>(std::ssize(examples)) - with;
    double weight = marks ? 1 : 0;
    if (marks && with > 0 && without > 0) weight = without / with;
    if (!marks && with > 0) weight = static_cast<double>(total) / (static_cast<double>(needed) * with);
    balanced.push_back(static_cast<float>(weight));
  }
  return balanced;
}

Expected<std::vector<std::vector<float>>> WeightsOfOutputs(const ClassWeights& weights, const Dataset& data,
                                                           std::span<const int32_t> examples) {
  std::vector<std::vector<float>> all(data.output_count());
  if (all.size() == 1) {
    QAT_ASSIGN_OR_RETURN(all[0], WeightsOf(weights, data, examples));
    return all;
  }
  std::vector<std::string> with_classes;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!IsOfNumbers(data.output_labels(i).task)) with_classes.push_back(data.output_labels(i).output);
  }
  if (!weights.values.empty() && with_classes.size() != 1) {
    return InvalidArgument(StrCat("`class_weights`: numbers are those of one output with classes, and ",
                                  data.name, " has ", with_classes.empty() ? "none" : Join(with_classes),
                                  ": give \"balanced\", or leave it out"));
  }
  for (size_t i = 0; i < all.size(); ++i) {
    if (IsOfNumbers(data.output_labels(i).task)) continue;
    QAT_ASSIGN_OR_RETURN(all[i], WeightsOf(weights, ForOutput(data, i), examples));
  }
  return all;
}

}  // namespace qat
