// task.h: what an output of a network means. Loss, metrics, gates and what may be appended to a model follow
// from it.
#ifndef QAT_CONTRACT_TASK_H_
#define QAT_CONTRACT_TASK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qat {

enum class Task {
  kUnknown,          ///< written before it was recorded, or a model of others
  kAuto = kUnknown,  ///< of a request: found out from the data and the network
  kClasses,          ///< one of several classes, a score each; of an example or of each of its pixels
  kNumbers,          ///< real numbers
  kYesNo,  ///< one of two classes by one score: the second where it is above 0, as a probability above 1/2
  kMultiLabel,      ///< several labels at once, each there or not, judged by its own score as in kYesNo
  kReconstruction,  ///< the input itself, as real numbers: autoencoders
};

/// "auto", "classes", "numbers", "yes-no", "multi-label", "reconstruction": as recipes, models and reports
/// have it.
std::string_view NameOf(Task task);
std::optional<Task> TaskFromName(std::string_view name);
/// All of them, "auto" first.
std::vector<std::string> TaskNames();

/// Answers are real numbers: errors are measured, where other tasks count what is right.
constexpr bool IsOfNumbers(Task task) { return task == Task::kNumbers || task == Task::kReconstruction; }
/// Each score is judged by itself, yes or no.
constexpr bool IsOfYesNo(Task task) { return task == Task::kYesNo || task == Task::kMultiLabel; }

/// The label of a place that has none, as pixels between two objects: neither learned nor counted.
inline constexpr int32_t kIgnoredLabel = -1;

}  // namespace qat

#endif  // QAT_CONTRACT_TASK_H_
