// hooks.h: how long work in this layer reports to its caller and asks it whether to stop; the library itself neither prints nor
// catches signals.
#ifndef QAT_EVAL_HOOKS_H_
#define QAT_EVAL_HOOKS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "base/expected.h"

namespace qat {

struct WorkHooks {
  /// Called often, cheap work only: "accuracy of graph", 512 of 10,000.
  std::function<void(const std::string& what, int64_t done, int64_t total)> progress;
  /// Polled between images; true ends the work with kInterrupted.
  std::function<bool()> interrupted;

  void Progress(const std::string& what, int64_t done, int64_t total) const {
    if (progress) progress(what, done, total);
  }
  /// Errors: kInterrupted.
  Status Poll() const {
    if (interrupted && interrupted()) {
      return Error{ErrorCode::kInterrupted, "interrupted: no output was written"};
    }
    return {};
  }
};

}  // namespace qat

#endif  // QAT_EVAL_HOOKS_H_
