#include "eval/output_limits.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>

#include "base/strings.h"

namespace qat {
namespace {

bool IsOfClasses(const OutputLabels& labels) { return !IsOfNumbers(labels.task); }
bool IsOfOneClass(const OutputLabels& labels) {
  return IsOfClasses(labels) && labels.task != Task::kMultiLabel;
}
bool IsReal(const OutputLabels& labels) { return IsOfNumbers(labels.task); }
bool IsYesNo(const OutputLabels& labels) { return IsOfYesNo(labels.task); }
bool IsMap(const OutputLabels& labels) { return IsOfOneClass(labels) && labels.LabelsPerImage() > 1; }

/// A limit of answers, and the outputs that can give these.
struct AnswerLimit {
  std::string_view gate;
  std::optional<double> GateLimits::*limit;
  bool (*fits)(const OutputLabels& labels);
};

constexpr AnswerLimit kAnswerLimits[] = {
    {"min_accuracy", &GateLimits::min_accuracy, IsOfClasses},
    {"max_drop", &GateLimits::max_drop, IsOfClasses},
    {"min_balanced_accuracy", &GateLimits::min_balanced_accuracy, IsOfOneClass},
    {"max_rmse", &GateLimits::max_rmse, IsReal},
    {"max_error_rise", &GateLimits::max_error_rise, IsReal},
    {"min_auc", &GateLimits::min_auc, IsYesNo},
    {"min_f1", &GateLimits::min_f1, IsYesNo},
    {"min_iou", &GateLimits::min_iou, IsMap},
};

constexpr std::string_view kOfWholeModel[] = {"max-size",          "min-speedup",        "max-latency",
                                              "max-latency-ratio", "max-changed-ranges", "max-layer-loss"};

std::string OutputNames(const Dataset& dataset) {
  std::vector<std::string> names;
  for (size_t i = 0; i < dataset.output_count(); ++i) names.push_back(dataset.output_labels(i).output);
  return Join(names);
}

/// "kind" or "kind/cat" of output 'kind': what is left of it, "" or "cat". Nothing: it names no output.
std::optional<std::string> PartOf(const std::string& name, const std::string& output) {
  if (name == output) return "";
  if (name.size() > output.size() && name.starts_with(output) && name[output.size()] == '/')
    return name.substr(output.size() + 1);
  return std::nullopt;
}

/// Those for this output, or for a class or number that it has. A limit may name the output, the output and
/// one of its classes or numbers, or one of these alone.
template <class Limit>
std::vector<Limit> KeepNamed(bool fits, const OutputLabels& labels, const std::vector<Limit>& limits) {
  std::vector<Limit> kept;
  for (Limit each : limits) {
    const std::optional<std::string> part = PartOf(each.name, labels.output);
    if (part) each.name = *part;
    const auto& names = labels.class_names;
    const bool number = ParseNumber<int64_t>(each.name).has_value();
    const bool known =
        each.name.empty() || number || std::find(names.begin(), names.end(), each.name) != names.end();
    if (part ? fits : fits && known) kept.push_back(each);
  }
  return kept;
}

/// The RMSE of all numbers of an output is a limit of its own.
void TakeWholeOutput(GateLimits& own) {
  for (TargetLimit& each : own.max_target_rmse) {
    if (each.name.empty()) own.max_rmse = each.limit;
    each.index = ParseNumber<int32_t>(each.name).value_or(each.index);
  }
  std::erase_if(own.max_target_rmse, [](const TargetLimit& each) { return each.name.empty(); });
}

/// The limits of answers that an output can keep.
GateLimits OfAnswers(const GateLimits& limits, const OutputLabels& labels) {
  GateLimits own = limits;
  own.of_outputs.clear();
  for (const AnswerLimit& each : kAnswerLimits) {
    if (!each.fits(labels)) (own.*each.limit).reset();
  }
  for (const OutputLimit& each : limits.of_outputs) {
    if (each.output == labels.output) own.*each.limit = each.value;
  }
  if (!IsOfClasses(labels)) own.max_flips.reset();
  own.min_recall = KeepNamed(IsOfOneClass(labels), labels, own.min_recall);
  own.max_target_rmse = KeepNamed(IsReal(labels), labels, own.max_target_rmse);
  TakeWholeOutput(own);
  if (!own.max_drop) own.significance = 0;
  return own;
}

/// `max_flips` names a row, or one output of several.
void TakeFlipsOfOutput(const Dataset& dataset, std::vector<GateLimits>& outputs) {
  const auto is_named = [&](size_t i) { return dataset.output_labels(i).output == outputs[i].flips_against; };
  bool named = false;
  for (size_t i = 0; i < outputs.size(); ++i) named = named || is_named(i);
  for (size_t i = 0; named && i < outputs.size(); ++i) {
    if (!is_named(i)) outputs[i].max_flips.reset();
    outputs[i].flips_against.clear();
  }
}

/// Limits that name an output name one that there is, and that can be judged so.
Status CheckNamed(const GateLimits& limits, const Dataset& dataset) {
  for (const OutputLimit& each : limits.of_outputs) {
    const auto* limit = std::find_if(std::begin(kAnswerLimits), std::end(kAnswerLimits),
                                     [&](const AnswerLimit& known) { return known.limit == each.limit; });
    if (dataset.output_count() == 1) {
      return InvalidArgument(StrCat("`", limit->gate, "`: names the output '", each.output,
                                    "', expected a number alone: the model has one output"));
    }
    const OutputLabels* labels = nullptr;
    for (size_t i = 0; i < dataset.output_count(); ++i) {
      if (dataset.output_labels(i).output == each.output) labels = &dataset.output_labels(i);
    }
    if (labels == nullptr)
      return InvalidArgument(StrCat("`", limit->gate, "`: names the output '", each.output,
                                    "', expected one of ", OutputNames(dataset)));
    if (limit->fits(*labels)) continue;
    return InvalidArgument(StrCat("`", limit->gate, "`: judges nothing that output '", each.output,
                                  "' gives, whose task is ", NameOf(labels->task), ": leave it out"));
  }
  return {};
}

void DropThoseOfWholeModel(GateLimits& limits) {
  limits.max_size.reset();
  limits.min_speedup.reset();
  limits.max_latency.reset();
  limits.max_latency_ratio.reset();
  limits.max_layer_loss.reset();
  limits.max_changed_ranges.reset();
}

/// A limit that fits no output is a slip.
Status ExpectUsed(const GateLimits& asked, const std::vector<GateLimits>& outputs) {
  std::vector<std::string_view> unused;
  const auto use = [&](std::string_view gate, const auto& has) {
    if (has(asked) && std::none_of(outputs.begin(), outputs.end(), has)) unused.push_back(gate);
  };
  for (const AnswerLimit& each : kAnswerLimits) {
    use(each.gate, [&](const GateLimits& limits) { return (limits.*each.limit).has_value(); });
  }
  use("max_flips", [](const GateLimits& limits) { return limits.max_flips.has_value(); });
  use("min_recall", [](const GateLimits& limits) { return !limits.min_recall.empty(); });
  if (!asked.max_target_rmse.empty() &&
      std::none_of(outputs.begin(), outputs.end(), [](const GateLimits& own) { return own.OfNumbers(); }))
    unused.push_back("max_rmse");
  if (unused.empty()) return {};
  return InvalidArgument(
      StrCat("`", unused[0], "`: judges nothing that the outputs of the model give: leave it out"));
}

}  // namespace

bool IsOfWholeModel(std::string_view gate) {
  return std::find(std::begin(kOfWholeModel), std::end(kOfWholeModel), gate) != std::end(kOfWholeModel);
}

Expected<std::vector<GateLimits>> LimitsOfOutputs(const GateLimits& limits, const Dataset& dataset) {
  QAT_RETURN_IF_ERROR(CheckNamed(limits, dataset));
  std::vector<GateLimits> all;
  for (size_t i = 0; i < dataset.output_count(); ++i) {
    all.push_back(OfAnswers(limits, dataset.output_labels(i)));
    if (i > 0) DropThoseOfWholeModel(all.back());
  }
  TakeFlipsOfOutput(dataset, all);
  QAT_RETURN_IF_ERROR(ExpectUsed(limits, all));
  return all;
}

void TakeLimitOfOutput(const std::string& output, const Dataset& dataset, GateLimits& limits) {
  const auto& names = dataset.class_names;
  if (output.empty() || std::find(names.begin(), names.end(), output) != names.end()) return;
  for (const TargetLimit& each : limits.max_target_rmse) {
    if (each.name == output) limits.max_rmse = each.limit;
  }
  std::erase_if(limits.max_target_rmse, [&](const TargetLimit& each) { return each.name == output; });
}

Status CheckGatesFit(const GateLimits& gates, const Dataset& dataset) {
  QAT_RETURN_IF_ERROR(CheckNamed(gates, dataset));
  const bool real = IsOfNumbers(dataset.task);
  const bool of_labels = gates.OfClasses() || gates.max_drop || gates.max_flips;
  if (real && of_labels) {
    return InvalidArgument(
        StrCat("`min_accuracy`, `min_balanced_accuracy`, `min_recall`, `max_drop` and "
               "`max_flips`: judge classes, but the labels of ",
               dataset.name, " are real numbers: give `max_rmse` and `max_error_rise`"));
  }
  if (!real && (gates.OfNumbers() || gates.max_error_rise)) {
    return InvalidArgument(StrCat("`max_rmse` and `max_error_rise`: judge real numbers, but the labels of ",
                                  dataset.name, " are classes: give `min_accuracy` and `max_drop`"));
  }
  const Task task = dataset.task;
  const auto misfit = [&](const char* gate, const char* what) {
    return InvalidArgument(StrCat(gate, ": judges ", what, ", and the task of ", dataset.name, " is ",
                                  NameOf(task), ": leave it out"));
  };
  if (gates.min_auc && !IsOfYesNo(task) && task != Task::kReconstruction)
    return misfit("`min_auc`", "yes or no, several labels or anomalies");
  if (gates.min_f1 && !IsOfYesNo(task)) return misfit("`min_f1`", "yes or no, or several labels");
  if (gates.min_iou && (real || dataset.LabelsPerImage() == 1 || task == Task::kMultiLabel))
    return misfit("`min_iou`", "labels per pixel");
  if (task == Task::kMultiLabel && (gates.min_balanced_accuracy || !gates.min_recall.empty())) {
    return misfit("`min_balanced_accuracy` and `min_recall`",
                  "one class of several (`min_f1` judges labels)");
  }
  return {};
}

}  // namespace qat
