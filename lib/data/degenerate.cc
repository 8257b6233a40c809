#include "data/degenerate.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/join_some.h"
#include "base/strings.h"

namespace qat {
namespace {

constexpr size_t kLookedAt = 256;

// A label that every example has, or none.
void CheckMarks(const OutputLabels& dataset, std::span<const int32_t> examples,
                std::vector<std::string>& warnings) {
  for (int32_t label = 0; label < dataset.label_width; ++label) {
    const auto at = static_cast<size_t>(label);
    int64_t there = 0;
    for (const int32_t example : examples) there += dataset.LabelsOf(example)[at];
    if (there > 0 && there < std::ssize(examples)) continue;
    const std::string name = at < dataset.class_names.size() ? dataset.class_names[at] : StrCat(label);
    warnings.push_back(StrCat(there == 0 ? "no" : "every", " training example has the label '", name,
                              "', so there is nothing to learn about it"));
  }
}

void CheckLabels(const OutputLabels& dataset, std::span<const int32_t> examples,
                 std::vector<std::string>& warnings) {
  if (dataset.task == Task::kMultiLabel) return CheckMarks(dataset, examples, warnings);
  const int32_t first = dataset.LabelsOf(examples[0])[0];
  for (const int32_t example : examples) {
    const std::span<const int32_t> labels = dataset.LabelsOf(example);
    if (std::any_of(labels.begin(), labels.end(), [&](int32_t label) { return label != first; })) return;
  }
  const auto index = static_cast<size_t>(first);
  const std::string name =
      index < dataset.class_names.size() ? StrCat("'", dataset.class_names[index], "'") : StrCat(first);
  warnings.push_back(StrCat("all ", examples.size(), " training examples are of class ", name,
                            ", so there is nothing to distinguish"));
}

// Distance of the next float32 beyond `value`.
float StepAt(float value) {
  const float farthest = std::abs(value);
  return std::nextafter(farthest, std::numeric_limits<float>::max()) - farthest;
}

// What differs between numbers may be gone already: timestamps, identifiers, positions. Empty: nothing is.
std::string CoarseSteps(const std::string& what, float low, float high) {
  constexpr float kFewest = 256;  // steps of float32 between the ends: as many as int8 has
  const float step = StepAt(std::max(std::abs(low), std::abs(high)));
  if (low == high || (high - low) / step >= kFewest) return "";
  return StrCat(what, " runs from ", low, " to ", high, ", where float32 has steps of ", step,
                ": what is finer is lost; subtract a constant from the numbers before they become float32");
}

void CheckTargets(const OutputLabels& dataset, std::span<const int32_t> examples,
                  std::vector<std::string>& warnings) {
  const std::span<const float> first = dataset.NumbersOf(examples[0]);
  for (size_t target = 0; target < first.size(); ++target) {
    const std::string name = first.size() == 1 ? std::string("the target") : StrCat("target ", target);
    // Numbers that are not known are NaN.
    float low = std::numeric_limits<float>::infinity(), high = -low;
    for (const int32_t example : examples) {
      const float number = dataset.NumbersOf(example)[target];
      if (std::isnan(number)) continue;
      low = std::min(low, number);
      high = std::max(high, number);
    }
    if (low > high) continue;
    if (low != high) {
      if (std::string coarse = CoarseSteps(name, low, high); !coarse.empty())
        warnings.push_back(std::move(coarse));
      continue;
    }
    // Whole numbers next to each other may have become one.
    const std::string steps =
        StepAt(low) < 1 ? std::string()
                        : StrCat(", as far as float32 tells, which has steps of ", StepAt(low),
                                 " there: subtract a constant from the numbers before they become float32");
    warnings.push_back(StrCat(name, " is ", low, " in all ", examples.size(), " training examples",
                              steps.empty() ? ", so there is nothing to learn about it" : steps));
  }
}

void CheckSteps(const ExampleInput& input, std::span<const uint8_t> images, size_t size,
                std::vector<std::string>& warnings) {
  const auto channels = static_cast<size_t>(input.channels);
  std::vector<float> low(channels, std::numeric_limits<float>::max()),
      high(channels, std::numeric_limits<float>::lowest());
  for (size_t first = 0; first < images.size(); first += size) {
    for (size_t i = 0; i < static_cast<size_t>(input.ValueCount()); ++i) {
      float value;
      std::memcpy(&value, &images[first + i * sizeof(value)], sizeof(value));
      low[i % channels] = std::min(low[i % channels], value);
      high[i % channels] = std::max(high[i % channels], value);
    }
  }
  for (size_t c = 0; c < channels; ++c) {
    if (std::string coarse = CoarseSteps(NameOfChannel(input, c), low[c], high[c]); !coarse.empty())
      warnings.push_back(std::move(coarse));
  }
}

Status CheckImages(const Dataset& dataset, std::span<const int32_t> examples,
                   std::vector<std::string>& warnings) {
  const size_t count = std::min(examples.size(), kLookedAt);
  std::vector<int32_t> chosen(count);
  for (size_t i = 0; i < count; ++i) chosen[i] = examples[i * examples.size() / count];
  const auto size = static_cast<size_t>(dataset.ImageSize());
  Bytes images(count * size);
  QAT_RETURN_IF_ERROR(dataset.Read(chosen, images));
  if (dataset.inputs.size() == 1 && dataset.input().values == ValueType::kReal)
    CheckSteps(dataset.input(), images, size, warnings);
  for (size_t i = size; i < images.size(); ++i) {
    if (images[i] != images[i - size]) return {};
  }
  warnings.push_back(
      count == examples.size()
          ? StrCat("all ", count, " training inputs are the same, so nothing can be learned from them")
          : StrCat("the ", count, " training inputs that were looked at, of ", examples.size(),
                   ", are all the same, so nothing can be learned from them"));
  return {};
}

}  // namespace

std::string NameOfChannel(const ExampleInput& input, size_t channel) {
  if (channel < input.features.size()) return StrCat("column '", input.features[channel], "'");
  return StrCat("channel ", channel, " of the input",
                input.name.empty() ? "" : StrCat(" '", input.name, "'"));
}

Expected<std::vector<std::string>> FindDegenerate(const Dataset& dataset, std::span<const int32_t> examples) {
  std::vector<std::string> warnings;
  if (examples.empty()) return warnings;
  for (size_t i = 0; i < dataset.output_count(); ++i) {
    const OutputLabels& own = dataset.output_labels(i);
    const size_t before = warnings.size();
    // Labels of a reconstruction do not matter, and its targets are the inputs.
    if (own.task == Task::kNumbers) CheckTargets(own, examples, warnings);
    if (!IsOfNumbers(own.task)) CheckLabels(own, examples, warnings);
    for (size_t each = before; !own.output.empty() && each < warnings.size(); ++each)
      warnings[each] = StrCat("output '", own.output, "': ", warnings[each]);
  }
  if (examples.size() > 1) QAT_RETURN_IF_ERROR(CheckImages(dataset, examples, warnings));
  return warnings;
}

std::string ClassesOnlyInTest(const OutputLabels& train, const OutputLabels& test) {
  constexpr size_t kShown = 5;
  if (IsOfNumbers(train.task) || train.task == Task::kMultiLabel || train.labels.empty()) return "";
  std::vector<int64_t> learned(train.class_names.size()), tested(train.class_names.size());
  const auto count = [](const std::vector<int32_t>& labels, std::vector<int64_t>& counts) {
    for (const int32_t label : labels) {
      if (label >= 0 && static_cast<size_t>(label) < counts.size()) ++counts[static_cast<size_t>(label)];
    }
  };
  count(train.labels, learned);
  count(test.labels, tested);
  // Of one class alone FindDegenerate has told.
  if (std::count_if(learned.begin(), learned.end(), [](int64_t examples) { return examples > 0; }) < 2)
    return "";
  std::vector<std::string> names;
  int64_t examples = 0;
  for (size_t i = 0; i < learned.size(); ++i) {
    if (learned[i] > 0 || tested[i] == 0) continue;
    names.push_back(StrCat("'", train.class_names[i], "'"));
    examples += tested[i];
  }
  if (names.empty()) return "";
  return StrCat(names.size() == 1 ? "class " : "classes ", JoinSome(names, kShown),
                names.size() == 1 ? " has " : " have ", "no training example and ", examples,
                train.LabelsPerImage() > 1 ? " test pixel" : " test example", examples == 1 ? "" : "s",
                ", which can only be answered wrongly: are the splits of the same data?");
}

}  // namespace qat
