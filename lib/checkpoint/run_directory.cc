#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>
#include <utility>

#include "base/strings.h"
#include "checkpoint/checkpoint.h"

namespace qat {
namespace {

constexpr std::string_view kFolder = "checkpoints";
constexpr std::string_view kSuffix = ".ckpt";

std::string StepPath(const std::string& run, int64_t step, std::string_view suffix) {
  char digits[32];
  std::snprintf(digits, sizeof(digits), "%010lld", static_cast<long long>(step));
  return JoinPath(JoinPath(run, kFolder), StrCat(digits, suffix));
}

/// The number that is the whole of `text`; negative if it is none.
int64_t ParseStep(std::string_view text) {
  int64_t step = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
  return error == std::errc() && end == text.data() + text.size() ? step : -1;
}

/// "100, 200, 300"; the middle left out where there are many.
std::string DescribeSteps(const std::vector<int64_t>& steps) {
  constexpr size_t kShown = 8;
  std::vector<std::string> texts;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps.size() > kShown && i == kShown - 2) {
      texts.push_back("...");
      i = steps.size() - 1;
    }
    texts.push_back(std::to_string(steps[i]));
  }
  return Join(texts);
}

constexpr double kNothingMeasured = -std::numeric_limits<double>::infinity();

/// What "best" is judged by: the accuracy; of a network whose labels are real numbers, the loss.
double MeritOf(const Checkpoint& checkpoint) {
  for (const char* name : {"holdout_accuracy", "test_accuracy"}) {
    const auto found = checkpoint.metrics.find(name);
    if (found != checkpoint.metrics.end()) return found->second;
  }
  for (const char* name : {"holdout_loss", "test_loss"}) {
    const auto found = checkpoint.metrics.find(name);
    if (found != checkpoint.metrics.end()) return -found->second;
  }
  return kNothingMeasured;
}

/// A checkpoint from before the delay was judged without fake quantization: not comparable, so never before
/// others.
bool WasQuantized(const Checkpoint& checkpoint) {
  const auto found = checkpoint.metrics.find("fake_quantize");
  return found == checkpoint.metrics.end() || found->second != 0;
}

Expected<int64_t> BestStep(const std::string& run, const std::vector<int64_t>& steps) {
  std::pair<bool, double> best = {false, kNothingMeasured};
  int64_t best_step = steps.back();
  for (int64_t step : steps) {
    QAT_ASSIGN_OR_RETURN(const Checkpoint checkpoint, ReadCheckpoint(CheckpointPath(run, step)));
    const std::pair<bool, double> merit = {WasQuantized(checkpoint), MeritOf(checkpoint)};
    if (merit.second == kNothingMeasured || merit <= best) continue;
    best = merit;
    best_step = step;
  }
  return best_step;
}

}  // namespace

std::string CheckpointPath(const std::string& run, int64_t step) { return StepPath(run, step, kSuffix); }

std::string TrainerStatePath(const std::string& run, int64_t step) { return StepPath(run, step, ".state"); }

Expected<std::vector<int64_t>> ListCheckpoints(const std::string& run) {
  QAT_ASSIGN_OR_RETURN(const auto names, ListDirectory(JoinPath(run, kFolder)));
  std::vector<int64_t> steps;
  for (std::string_view name : names) {
    if (!name.ends_with(kSuffix)) continue;
    const int64_t step = ParseStep(name.substr(0, name.size() - kSuffix.size()));
    if (step >= 0) steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

Expected<std::string> ResolveCheckpoint(const std::string& run_or_file, const std::string& select) {
  if (FileExists(run_or_file) && !IsDirectory(run_or_file)) return run_or_file;
  if (!IsDirectory(run_or_file))
    return NotFound(StrCat(run_or_file, ": is neither a checkpoint nor a run directory"));
  if (!IsDirectory(JoinPath(run_or_file, kFolder))) {
    return NotFound(
        StrCat(run_or_file, ": is a directory without ", kFolder, "/, expected what qat-train -o made"));
  }
  QAT_ASSIGN_OR_RETURN(const auto steps, ListCheckpoints(run_or_file));
  if (steps.empty()) return NotFound(StrCat(run_or_file, ": has no checkpoint yet"));
  if (select == "last") return CheckpointPath(run_or_file, steps.back());
  if (select == "best") {
    QAT_ASSIGN_OR_RETURN(const int64_t best, BestStep(run_or_file, steps));
    return CheckpointPath(run_or_file, best);
  }
  const int64_t step = ParseStep(select);
  if (step < 0) return InvalidArgument(StrCat("--select is '", select, "', expected best, last or a step"));
  if (std::binary_search(steps.begin(), steps.end(), step)) return CheckpointPath(run_or_file, step);
  return NotFound(
      StrCat(run_or_file, ": has no checkpoint of step ", step, ", only of ", DescribeSteps(steps)));
}

}  // namespace qat
