#include "stage_progress.h"

namespace qat {

WorkHooks StageProgress::Hooks() {
  WorkHooks hooks;
  hooks.interrupted = Interrupted;
  hooks.progress = [this](const std::string& what, int64_t done, int64_t total) {
    Update(what, done, total);
  };
  return hooks;
}

void StageProgress::Finish() {
  if (progress_) progress_->Clear();
  progress_.reset();
}

void StageProgress::Update(const std::string& what, int64_t done, int64_t total) {
  if (!progress_ || what != what_) {
    Finish();
    progress_ = std::make_unique<Progress>(style_, what, total);
    what_ = what;
  }
  progress_->Expect(total);
  progress_->Update(done, "");
  if (done >= total) Finish();
}

}  // namespace qat
