// work_hooks.h: how long work reports to its caller and asks it whether to stop; the library itself neither
// prints nor catches signals.
#ifndef QAT_BASE_WORK_HOOKS_H_
#define QAT_BASE_WORK_HOOKS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/expected.h"

namespace qat {

struct WorkHooks {
  /// Called often, cheap work only: "answers of graph", 512 of 10,000. May be empty, as the next one.
  std::function<void(const std::string& what, int64_t done, int64_t total)> progress = {};
  /// Polled between examples; true ends the work with kInterrupted.
  std::function<bool()> interrupted = {};

  void Progress(const std::string& what, int64_t done, int64_t total) const {
    if (progress) progress(what, done, total);
  }
  /// Errors: kInterrupted, "interrupted while reading pictures: no output was written"; without `doing`
  /// "interrupted: …".
  Status Poll(std::string_view doing = "") const {
    if (!interrupted || !interrupted()) return {};
    std::string text = "interrupted";
    if (!doing.empty()) text.append(" while ").append(doing);
    return Error{ErrorCode::kInterrupted, text + ": no output was written"};
  }
  /// The same without progress.
  WorkHooks Quiet() const { return {{}, interrupted}; }
};

}  // namespace qat

#endif  // QAT_BASE_WORK_HOOKS_H_
