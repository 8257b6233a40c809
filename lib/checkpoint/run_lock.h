// run_lock.h: one writer per run directory.
#ifndef QAT_CHECKPOINT_RUN_LOCK_H_
#define QAT_CHECKPOINT_RUN_LOCK_H_

#include <string>

#include "base/expected.h"

namespace qat {

/// Keeps other processes from writing the run while it lives. The system drops it with the process, however
/// that ends, and nothing is left in the directory. A file system without locks is taken as it is.
class RunLock {
 public:
  /// Errors: kInvalidArgument "RUN: is being written by another process, …"; kSystem where RUN cannot be
  /// opened.
  static Expected<RunLock> Take(const std::string& run);
  RunLock(RunLock&& other) noexcept;
  RunLock& operator=(RunLock&&) = delete;
  ~RunLock();

 private:
  explicit RunLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace qat

#endif  // QAT_CHECKPOINT_RUN_LOCK_H_
