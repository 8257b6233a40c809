#include "contract/task.h"

#include <algorithm>
#include <iterator>

namespace qat {
namespace {

// By number.
constexpr std::string_view kNames[] = {"auto",   "classes",     "numbers",
                                       "yes-no", "multi-label", "reconstruction"};

}  // namespace

std::string_view NameOf(Task task) { return kNames[static_cast<size_t>(task)]; }

std::optional<Task> TaskFromName(std::string_view name) {
  const auto* found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<Task>(found - std::begin(kNames));
}

std::vector<std::string> TaskNames() { return {std::begin(kNames), std::end(kNames)}; }

}  // namespace qat
