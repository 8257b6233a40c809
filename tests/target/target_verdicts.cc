// What our rules say of models, for judge.py:
//   target_verdicts TARGET FILE...
// One line per model: its path and "runs" or "refused", then why.
#include <cstdio>

#include "model/model.h"
#include "target/target.h"

int main(int argc, char** argv) {
  const auto target = argc > 1 ? qat::TargetFromName(argv[1]) : std::nullopt;
  if (!target) return 2;
  for (int i = 2; i < argc; ++i) {
    const auto model = qat::Model::Load(argv[i]);
    if (!model.ok()) return 3;
    const qat::Status status = qat::ExpectTarget(**model, *target);
    std::printf("%s %s %s\n", argv[i], status.ok() ? "runs" : "refused",
                status.ok() ? "" : status.error().message.c_str());
  }
  return 0;
}
