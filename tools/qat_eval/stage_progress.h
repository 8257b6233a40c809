// stage_progress.h: one bar per stage of the work, gone when the stage is done: what it found is shown by the
// table.
#ifndef QAT_TOOLS_QAT_EVAL_STAGE_PROGRESS_H_
#define QAT_TOOLS_QAT_EVAL_STAGE_PROGRESS_H_

#include <memory>
#include <string>

#include "base/work_hooks.h"
#include "cli/interrupt.h"
#include "cli/progress.h"

namespace qat {

class StageProgress {
 public:
  explicit StageProgress(Progress::Style style) : style_(style) {}
  WorkHooks Hooks();
  void Finish();

 private:
  void Update(const std::string& what, int64_t done, int64_t total);

  Progress::Style style_;
  std::string what_;
  std::unique_ptr<Progress> progress_;
};

}  // namespace qat

#endif  // QAT_TOOLS_QAT_EVAL_STAGE_PROGRESS_H_
